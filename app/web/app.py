"""The FastAPI application factory: routers, middleware and services; no global state."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

from fastapi import APIRouter, FastAPI
from fastapi.routing import iter_route_contexts
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.routing import BaseRoute
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app import __version__
from app.settings import Settings
from app.web import attack, lab
from app.web.api import docs
from app.web.api.routes import router as api_router
from app.web.api.schemas import Health
from app.web.compare import router as compare_router
from app.web.core import errors, static_files
from app.web.core.base_path import BasePath, checked_base
from app.web.core.caching import Revalidate
from app.web.core.head_requests import HeadRequests
from app.web.core.operator import new_key
from app.web.core.proxies import PROXY_ADDRESSES
from app.web.core.security import Guard
from app.web.core.slow_requests import SlowBodies
from app.web.core.state import ServicesDep, open_services
from app.web.explorer import downloads, operator_key, page, river_stream
from app.web.layers import router as layers_router
from app.web.panel_registry import PANELS
from app.web.panels import shift, unit_panels
from app.web.panels.panel import AttackPanel, Panel

DESCRIPTION = """
What happens inside a convolutional network, as numbers and pictures.

A *run* is one forward pass of a picture through a network: it is computed at the first request and
cached for a while. Every value in a map is the float in the tensor (`.npy`); pictures of maps say
on which scale they are drawn (`.json`). Errors are `application/problem+json` with a `detail` for
users.
"""


def create_app(
    settings: Settings | None = None,
    *,
    beyond: bool = False,
    root_path: str = "",
    behind_proxy: bool = False,
    panels: tuple[Panel, ...] = PANELS,
) -> FastAPI:
    """Create the app with its own services; `beyond` says that other machines may connect.

    `root_path` is the sub-path under which a proxy serves it. `behind_proxy` takes it from what a
    proxy on this machine says, and gives the operator's rights to a key in `app.state` alone.
    """
    settings = settings or Settings.from_environment()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_services(settings) as services:
            app.state.services = services
            yield

    app = FastAPI(
        title="Layerscope",
        version=__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
    )
    # The size limit of one picture plus the overhead of a multipart form.
    largest = settings.upload_mb * 1_000_000 + 100_000
    app.add_middleware(RequestBodyLimitMiddleware, max_body_size=largest)
    # Floats do not get smaller.
    bare = (*DEFAULT_EXCLUDED_CONTENT_TYPES, "application/octet-stream")
    app.add_middleware(
        GZipMiddleware, minimum_size=600, compresslevel=5, exclude_content_types=bare
    )
    app.add_middleware(SlowBodies)
    app.add_middleware(Revalidate)
    app.add_middleware(HeadRequests)
    app.add_middleware(Guard, hosts=settings.hosts, beyond=beyond, largest=largest)
    app.state.panels = panels
    app.state.operator_key = new_key() if behind_proxy else None
    errors.install(app)
    app.router.routes.extend(_routes(panels))
    app.mount("/static", static_files.VersionedFiles(), name="static")
    # What a proxy says of the browser: its address and scheme, before anything is bounded by them.
    app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(PROXY_ADDRESSES))
    root_path, own = checked_base(root_path), _paths(app.router.routes)
    app.add_middleware(BasePath, root_path=root_path, behind_proxy=behind_proxy, own=own)

    @app.get("/healthz", tags=["server"], summary="Health check")
    async def healthz(services: ServicesDep) -> Health:
        """For monitors and start scripts: responds as soon as pictures can be run."""
        return Health(
            status="ok",
            version=__version__,
            device=services.engine.title,
            default_model=services.settings.model,
        )

    return app


@cache
def _routes(panels: tuple[Panel, ...]) -> list[BaseRoute]:
    """The routes, which all apps of a process share: analysing their parameters takes a while."""
    together = APIRouter()
    together.include_router(api_router())
    together.include_router(page.router)
    together.include_router(downloads.router)
    # Before the routes of panels that have none of their own: those match every id.
    for panel in panels:
        if panel.router:
            prefix = "/attack" if isinstance(panel, AttackPanel) else ""
            together.include_router(panel.router, prefix=prefix, include_in_schema=False)
    together.include_router(unit_panels.router)
    together.include_router(shift.router)
    together.include_router(layers_router)
    together.include_router(river_stream.router)
    together.include_router(attack.router)
    together.include_router(compare_router)
    together.include_router(lab.router)
    together.include_router(docs.router)
    together.include_router(operator_key.router)
    return together.routes


def _paths(routes: list[BaseRoute]) -> list[str]:
    return [one.path or "/" for one in iter_route_contexts(routes)]
