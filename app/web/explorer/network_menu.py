"""The menu of networks: what each is, whether its weights are available, how to get them."""

from __future__ import annotations

from app.services.networks.catalogue import Model
from app.services.networks.downloads import DownloadStatus
from app.services.networks.memory import available_bytes, needed_bytes
from app.web.core.links import View
from app.web.core.state import Services
from app.web.explorer.contexts import DownloadView, NetworkChoice
from app.web.explorer.kernel_wall import switch


def choices(view: View, services: Services, operator: bool) -> tuple[NetworkChoice, ...]:
    """Every network; its link keeps the picture and, if there is a similar step, the stage.

    Only the `operator` may download from here.
    """
    shown = services.catalogue.model(view.model)
    return tuple(
        _choice(view, services, operator, shown, model) for model in services.catalogue.models()
    )


def download(services: Services, model: Model, operator: bool) -> DownloadView:
    """The state of a network's download."""
    status = services.downloads.status(model.id)
    received = status.received
    share = 100 * received.done / received.total if received and received.total else 0.0
    return DownloadView(
        id=model.id,
        title=model.row.title,
        megabytes=megabytes(model.row.bytes),
        command=f"python -m app weights get {model.id}",
        allowed=operator,
        state=status.state,
        percent=share,
        words=_words(status, model),
        problem=status.problem,
    )


def stage_step(model: Model, step: str | None, other: Model) -> str | None:
    """The step of `other` like `step`: of the same name, else of the same kind and stage."""
    if step is None or step not in model.geometry:
        return None
    if step in other.geometry:
        return step
    known = model.outline.step(step)
    stage = [one for one in other.outline.steps if one.stage == known.stage]
    alike = [one for one in stage if one.kind == known.kind] or stage
    return alike[0].name if alike else None


def megabytes(size: int) -> str:
    """Bytes in words: `233 MB`."""
    return f"{size / 1e6:,.0f} MB"


def _choice(
    view: View, services: Services, operator: bool, shown: Model, model: Model
) -> NetworkChoice:
    here, twin = model.entry.path is not None, model.entry.counterpart
    step = stage_step(shown, view.step, model)
    # A network and its twin with random weights are one entry, with a switch.
    on_screen = shown.id in (model.id, twin)
    plain = {"step": step, "channel": None, "y": None, "x": None}
    return NetworkChoice(
        model=model,
        url=view.url(model=model.id, **plain),
        set=f"model={model.id}&instead_of={shown.id}&channel=&y=&x=",
        shown=on_screen,
        here=here,
        memory=_memory(model),
        switch=switch(view, shown, both=False) if on_screen else (),
        random="" if here or on_screen else view.url(model=twin, **plain),
        random_set=f"model={twin}&instead_of={shown.id}&channel=&y=&x=",
        download=None if here else download(services, model, operator),
    )


def _memory(model: Model) -> str:
    """A warning if a network needs more memory than is free."""
    free, wanted = available_bytes(), needed_bytes(model.parameters)
    if free is None or wanted <= free:
        return ""
    return (
        f"It needs about {wanted / 1e9:.1f} GB of memory while it is loaded, and "
        f"{free / 1e9:.1f} GB are free here: close other programs, or choose a smaller network."
    )


def _words(status: DownloadStatus, model: Model) -> str:
    received = status.received
    if received is None:
        return f"Asking for {model.row.title} …"
    return f"{model.row.title}: {received.words}"
