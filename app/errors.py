"""Everything that can go wrong for a person, as a tree that knows no HTTP.

    LayerscopeError
    ├── NotFound                what was asked for is not here
    │   ├── UnknownModel
    │   ├── UnknownPicture
    │   └── UnknownStep         a step, or a channel of one
    ├── BadRequest              a value is out of range or makes no sense here
    ├── NoClassifier            a network that ends before its classes was asked for one
    ├── PictureError            an upload that cannot become a picture
    │   ├── PictureTooLarge
    │   ├── NotAPicture
    │   └── BrokenPicture
    ├── Forbidden               a foreign page, or somebody else's picture
    ├── WeightsMissing          the network is known, its weights are not on this computer
    ├── WeightsRefused          a weights file that does not fit its network
    ├── DownloadFailed          a file did not come, or not whole, or is not the published one
    ├── DataUnusable            pictures to train or evaluate with are missing or cut off
    ├── TrainingStopped         a training cannot begin, go on or be written down
    ├── NotWritten              a file cannot be put on the disk: it is full, or not ours
    ├── Busy                    the queue is full; try again in `retry_after` seconds
    └── Cancelled               nobody is listening any more

`title` names the kind, `detail` is one sentence that a student understands. `app.web.core.errors`
maps each class to a status.
"""


class LayerscopeError(Exception):
    """An error with a sentence for the person who met it."""

    title = "Something went wrong"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class NotFound(LayerscopeError):
    """What was asked for is not here."""

    title = "Not found"


class UnknownModel(NotFound):
    """No network of that name."""

    title = "Unknown network"


class UnknownPicture(NotFound):
    """No picture of that id, or no longer."""

    title = "Unknown picture"


class UnknownStep(NotFound):
    """The network has no step, or the step no channel, of that name."""

    title = "Unknown step"


class BadRequest(LayerscopeError):
    """A value is out of range or makes no sense here."""

    title = "This request is not valid"


class NoClassifier(LayerscopeError):
    """A partial network, which ends before its classes, was asked for what needs them."""

    title = "This network has no classes"


class PictureError(LayerscopeError):
    """An upload that cannot become a picture."""

    title = "This file cannot be used"


class PictureTooLarge(PictureError):
    """Too many bytes or too many pixels."""

    title = "This picture is too big"


class NotAPicture(PictureError):
    """Not a picture, or not of a format that is read here."""

    title = "This is not a picture we can read"


class BrokenPicture(PictureError):
    """A picture whose data is cut off or damaged."""

    title = "This picture is damaged"


class Forbidden(LayerscopeError):
    """A request from a foreign page, or for somebody else's picture."""

    title = "Not allowed"


class WeightsMissing(LayerscopeError):
    """The network is known, its weights are not on this computer."""

    title = "These weights are not here yet"


class WeightsRefused(LayerscopeError):
    """A weights file that is not what it should be, or does not fit its network."""

    title = "These weights were refused"


class DownloadFailed(LayerscopeError):
    """A file did not come, came in part, or is not the published one."""

    title = "The download failed"


class DataUnusable(LayerscopeError):
    """A data set is missing, half unpacked or of other classes than the network."""

    title = "This data cannot be used"


class TrainingStopped(LayerscopeError):
    """A training cannot begin, go on from its checkpoint, or be written to disk."""

    title = "The training stopped"


class NotWritten(LayerscopeError):
    """A file cannot be put on the disk."""

    title = "This file cannot be written"


class Busy(LayerscopeError):
    """The queue is full; `retry_after` is in seconds."""

    title = "The server is busy"

    def __init__(self, detail: str, retry_after: int = 2) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Cancelled(LayerscopeError):
    """The work was stopped because nobody was listening any more, or the server is stopping."""

    title = "Stopped"
