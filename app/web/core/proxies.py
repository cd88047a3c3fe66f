"""Did a request come from this machine itself, or through a proxy?"""

from __future__ import annotations

import ipaddress
from typing import Any

from starlette.datastructures import Headers
from starlette.types import Scope

PROXY_ADDRESSES = ("127.0.0.1", "::1", "::ffff:127.0.0.1")
"""Addresses from which a proxy on this machine connects."""


def from_this_machine(scope: Scope) -> bool:
    """Whether the connection comes from this machine; not so where the address is unknown."""
    client: Any = scope.get("client") or ("",)
    try:
        address = ipaddress.ip_address(client[0])
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def by_a_proxy(headers: Headers) -> bool:
    """Whether a proxy passed this request on, as it says itself."""
    return any(
        name in ("forwarded", "via", "x-real-ip") or name.startswith("x-forwarded-")
        for name in headers
    )
