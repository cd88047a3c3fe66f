"""Pictures as iPhones take them (HEIC), where the decoder for them is installed."""

from io import BytesIO

from PIL import Image

from app.errors import NotAPicture
from app.pictures.file_kinds import HEIC_UNREAD


def heic(file: BytesIO) -> Image.Image:
    """The first picture of a HEIC file, turned upright by its decoder. Raises `NotAPicture`.

    The decoder, libheif without an encoder, is loaded with the first such file, and only in the
    process that decodes uploads.
    """
    try:
        import pi_heif  # type: ignore[import-untyped]
    except ImportError:
        raise NotAPicture(HEIC_UNREAD) from None
    found = pi_heif.open_heif(file, convert_hdr_to_8bit=True)
    made: Image.Image = found.to_pillow()
    made.info.pop("exif", None)
    return made
