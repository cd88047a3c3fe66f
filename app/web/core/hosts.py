"""Which names does this server answer to? Names of hosts and origins, compared as browsers mean."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from app.errors import BadRequest

_NAME = re.compile(r"(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_-]{1,63}\.?")
_PORTS = {"http": "80", "https": "443"}


class HostNames:
    """Names as LAYERSCOPE_HOSTS has them: `lab.school.example`, `*.school.example`, `[fd00::1]`.

    A port is left out, case does not matter, `*` is any name, and a name in Unicode is compared as
    browsers send it (IDNA). Raises `BadRequest` for what is no name.
    """

    def __init__(self, names: Iterable[str]) -> None:
        found = [_canonical(name) for name in names]
        self._any = "*" in found
        self._names = {name for name in found if not name.startswith("*")}
        self._endings = tuple(name[1:] for name in found if name.startswith("*."))

    def accept(self, host: str) -> bool:
        """Whether a `Host` header names one of them."""
        name = without_port(host)
        return self._any or name in self._names or name.endswith(self._endings or ("\0",))


def without_port(host: str) -> str:
    """The name in a `Host` header, in lower case, without port, brackets or a final dot."""
    name = host.strip().lower()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    if name.count(":") == 1:
        name = name.partition(":")[0]
    return name.removesuffix(".")


def same_host(origin: str, host: str) -> bool:
    """Whether an `Origin` is of this `Host`, without regard to case and the scheme's usual port."""
    scheme, _, authority = origin.lower().partition("://")
    usual = f":{_PORTS.get(scheme, '')}"
    one, other = (name.removesuffix(usual) for name in (authority, host.strip().lower()))
    return bool(one) and one == other


def _canonical(name: str) -> str:
    plain = name.strip().lower()
    if plain == "*":
        return plain
    bare = plain if _is_address(plain) else without_port(plain)
    if _is_address(bare):
        return str(ipaddress.ip_address(bare))
    try:
        star, ending = bare[:2] == "*.", bare.removeprefix("*.")
        made = ("*." if star else "") + ending.encode("idna").decode("ascii")
    except UnicodeError:
        made = ""
    if "/" in plain or not _NAME.fullmatch(made):
        raise BadRequest(
            f"LAYERSCOPE_HOSTS holds “{name[:80]}”, which is no name of a host. Write names with "
            "commas, without http:// and without a path: lab.school.example,*.school.example."
        )
    return made


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
