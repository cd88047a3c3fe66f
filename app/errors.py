"""Every error that a user can see, as a class tree that does not know HTTP.

    LayerscopeError
    ├── NotFound                what was requested does not exist here
    │   ├── UnknownModel
    │   ├── UnknownPicture
    │   └── UnknownStep         a step, or a channel of one
    ├── BadRequest              a value is invalid or out of range
    ├── NoClassifier            a class was requested of a network without a classifier
    ├── PictureError            an upload that cannot become a picture
    │   ├── PictureTooLarge
    │   ├── NotAPicture
    │   └── BrokenPicture
    ├── Forbidden               a request from another site, or for another user's picture
    ├── NotFinite               a network computes NaN or infinity, which no page may show
    ├── WeightsMissing          the network is known, its weights are not on this computer
    ├── WeightsRefused          a weights file that does not fit its network
    ├── DownloadFailed          a download failed, is incomplete or is not the published file
    ├── DataUnusable            a data set or data file is missing, incomplete or unsuitable
    ├── TrainingStopped         a training cannot start, resume or be saved
    ├── NotWritten              a file cannot be written: the disk is full or write-protected
    ├── Busy                    the queue is full; try again in `retry_after` seconds
    └── Cancelled               the client has disconnected, or the server is stopping

`title` names the kind of error, `detail` is one sentence that a student understands.
`app.web.core.errors` maps each class to an HTTP status.
"""

import re

_UNPRINTABLE = re.compile(r"[\ud800-\udfff]")


def printable(text: str) -> str:
    """Text that UTF-8 can hold: half a character becomes �.

    JSON may escape half a surrogate pair, and Python makes such halves of the bytes in a file's
    name that are no UTF-8; neither can be sent, printed or stored.
    """
    return text if text.isascii() else _UNPRINTABLE.sub("\ufffd", text)


class LayerscopeError(Exception):
    """Base class of all errors: `detail` is a sentence for the user, without half characters."""

    title = "Something went wrong"

    def __init__(self, detail: str) -> None:
        self.detail = printable(detail)
        super().__init__(self.detail)


class NotFound(LayerscopeError):
    """What was requested does not exist here."""

    title = "Not found"


class UnknownModel(NotFound):
    """There is no network of that name."""

    title = "Unknown network"


class UnknownPicture(NotFound):
    """There is no picture of that id, or it has been deleted."""

    title = "Unknown picture"


class UnknownStep(NotFound):
    """The network has no such step, or the step has no such channel."""

    title = "Unknown step"


class BadRequest(LayerscopeError):
    """A value is invalid or out of range."""

    title = "This request is not valid"


class NoClassifier(LayerscopeError):
    """Something that needs classes was requested of a partial network, which has none."""

    title = "This network has no classes"


class NotFinite(LayerscopeError):
    """A network computes a number that is not finite: nothing that follows from it is shown."""

    title = "These numbers are not finite"


class PictureError(LayerscopeError):
    """An upload that cannot become a picture."""

    title = "This file cannot be used"


class PictureTooLarge(PictureError):
    """An upload with too many bytes or too many pixels."""

    title = "This picture is too big"


class NotAPicture(PictureError):
    """A file that is no picture, or whose format is not supported."""

    title = "This is not a picture we can read"


class BrokenPicture(PictureError):
    """A picture whose data is incomplete or damaged."""

    title = "This picture is damaged"


class Forbidden(LayerscopeError):
    """A request from another site, or for another user's picture."""

    title = "Not allowed"


class WeightsMissing(LayerscopeError):
    """The network is known, but its weights are not on this computer."""

    title = "These weights are not here yet"


class WeightsRefused(LayerscopeError):
    """A weights file fails verification or does not fit its network."""

    title = "These weights were refused"


class DownloadFailed(LayerscopeError):
    """A download failed, is incomplete or is not the published file."""

    title = "The download failed"


class DataUnusable(LayerscopeError):
    """A data set or data file is missing, incomplete or does not fit the network."""

    title = "This data cannot be used"


class TrainingStopped(LayerscopeError):
    """A training cannot start, resume from its checkpoint, or be saved."""

    title = "The training stopped"


class NotWritten(LayerscopeError):
    """A file cannot be written to disk."""

    title = "This file cannot be written"


class Busy(LayerscopeError):
    """The queue is full, or the user's other job is running; `retry_after` is in seconds."""

    title = "The server is busy"

    def __init__(self, detail: str, retry_after: int = 2) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Cancelled(LayerscopeError):
    """The work was cancelled: the client has disconnected, or the server is stopping."""

    title = "Stopped"
