"""The left pane: the photo, its preprocessing, and the pictures to choose from."""

from __future__ import annotations

import time

from app.pictures.preprocess import Fitted
from app.pictures.samples import Sample, all_samples, sample
from app.services.networks.catalogue import Model
from app.services.pictures.store import Stored
from app.services.runs.run import Run
from app.web.core.links import View, input_url, preview_url
from app.web.core.state import Services
from app.web.explorer.contexts import Gallery, PicturePane
from app.web.parts.photo import PREVIEW, crop_box, in_words, place


def picture_pane(view: View, run: Run, services: Services, owner: str) -> PicturePane:
    """The photo of a run."""
    fitted, built_in = run.fitted, sample(view.image)
    stored = None if built_in else services.pictures.find(view.image, owner)
    width, height = fitted.photo
    return PicturePane(
        view=view,
        model=run.model,
        title=built_in.title
        if built_in
        else stored.name
        if stored and stored.name
        else "A picture",
        width=width,
        height=height,
        preview=preview_url(view.image, PREVIEW),
        input=input_url(view, run.model),
        crop=crop_box(fitted),
        place=place(run),
        sentence=_sentence(fitted, built_in is not None),
        notes=stored.notes if stored else (),
        credit=f"{built_in.credit} · {built_in.licence}" if built_in else "",
        stranger=_stranger(built_in, run.model),
        expires=in_words(stored.expires - time.time()) if stored else "",
        trained=view.url(model=run.model.entry.counterpart) if run.model.state == "random" else "",
    )


def gallery(view: View, services: Services, owner: str) -> Gallery:
    """Samples and this browser's uploads."""
    settings = services.settings
    recent: tuple[Stored, ...] = tuple(services.pictures.recent(owner))
    return Gallery(
        view,
        all_samples(),
        recent,
        settings.expire_hours,
        settings.upload_mb,
        settings.crops_of_uploads,
    )


def _sentence(fitted: Fitted, built_in: bool) -> str:
    text = fitted.sentence()
    return text.replace("Your", "The").replace("your", "the") if built_in else text


def _stranger(built_in: Sample | None, model: Model) -> str:
    """Why the network cannot know a sample's subject."""
    if (
        built_in is None
        or not model.labels
        or built_in.wnid in {label.wnid for label in model.labels}
    ):
        return ""
    return (
        f"“{built_in.subject}” is not among the {len(model.labels)} classes of this network: it "
        "answers with the most similar thing it knows."
    )
