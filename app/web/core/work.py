"""Work for one request: it counts for its owner, and ends when whoever asked for it has left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, ParamSpec, TypeVar

from fastapi import Depends, Request

from app.services.engine.owner import Owner
from app.web.core.leaving import while_listened
from app.web.core.state import OwnerDep, Services, ServicesDep

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Work:
    """Runs what computes for long outside the engine: drawings, projections, charts."""

    request: Request
    services: Services
    owner: Owner

    async def __call__(self, work: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
        """What `work` returns, computed in a thread when its owner has the turn.

        Raises `Cancelled` when the client has left, and what `work` raises.
        """
        queued = self.services.side_work.run(self.owner, partial(work, *args, **options))
        return await while_listened(self.request, queued)


def work_of(request: Request, services: ServicesDep, owner: OwnerDep) -> Work:
    """The work of this request."""
    return Work(request, services, owner)


WorkDep = Annotated[Work, Depends(work_of)]
