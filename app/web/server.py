"""The server process: uvicorn that closes open event streams when it shuts down."""

from __future__ import annotations

import errno
import socket
from dataclasses import replace
from types import FrameType

import uvicorn
from fastapi import FastAPI

from app.errors import BadRequest
from app.services.engine.spare_memory import settle
from app.settings import Settings
from app.web.app import create_app
from app.web.core.slow_requests import PatientProtocol

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Server(uvicorn.Server):
    """Stops the services at the first signal: uvicorn alone waits until open streams end."""

    def __init__(self, app: FastAPI, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._app = app

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """See `uvicorn.Server.startup`."""
        await super().startup(sockets)
        settle()
        if services := getattr(self._app.state, "services", None):
            services.decoders.warm()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """See `uvicorn.Server.handle_exit`."""
        super().handle_exit(sig, frame)
        if services := getattr(self._app.state, "services", None):
            services.stop()


def serve(app: FastAPI, host: str, port: int) -> None:
    """Serve until a signal comes; reachable from other machines only if `host` is no loopback."""
    Server(app, configuration(app, host, port)).run()


def configuration(app: FastAPI, host: str = "127.0.0.1", port: int = 0) -> uvicorn.Config:
    """How uvicorn serves the app."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        log_level="warning",
        timeout_graceful_shutdown=1,
        server_header=False,
        # The app does it itself, after it has seen which machine the connection comes from.
        proxy_headers=False,
        http=PatientProtocol,
    )


def app_for(host: str, settings: Settings, root_path: str, behind_proxy: bool) -> FastAPI:
    """The app as it is served at `host`. Raises `BadRequest` for what is no sub-path."""
    # Users open the address that the command printed, which may be a host name.
    settings = replace(settings, hosts=(*settings.hosts, host))
    return create_app(
        settings, beyond=host not in LOOPBACK, root_path=root_path, behind_proxy=behind_proxy
    )


def addresses(host: str, port: int) -> list[str]:
    """The URLs under which users can open the page."""
    if host not in ("0.0.0.0", "::"):
        return [f"http://{f'[{host}]' if ':' in host else host}:{port}"]
    return [f"http://127.0.0.1:{port}", *(f"http://{ip}:{port}" for ip in _own_addresses())]


def is_free(host: str, port: int) -> bool:
    """Whether the port is free. Raises `BadRequest` if the address cannot be bound at all."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise BadRequest(f"Cannot serve on {host}, port {port}: {error.strerror}.") from None
    return True


def _own_addresses() -> list[str]:
    """This machine's address in the local network; no packet is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return []
        return [str(probe.getsockname()[0])]
