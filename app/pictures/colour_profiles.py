"""What does a picture look like whose numbers mean other colours than the screen's?

Phones write Display P3. A browser converts to sRGB, and so does this: the networks learned from
pictures in sRGB.
"""

from io import BytesIO

from PIL import Image, ImageCms

NOTE_PROFILE = "Its colours were converted from the profile “{name}” to sRGB."

_SPACES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK"}


def to_srgb(image: Image.Image, profile: bytes) -> tuple[Image.Image, tuple[str, ...]]:
    """The picture in sRGB, and a note; unchanged if the profile cannot be used for it."""
    if not profile:
        return image, ()
    try:
        own = ImageCms.ImageCmsProfile(BytesIO(profile))
        name = " ".join(ImageCms.getProfileDescription(own).split())[:60] or "unknown"
        if "srgb" in name.lower() or _SPACES.get(own.profile.xcolor_space) != image.mode:
            return image, ()
        made = ImageCms.profileToProfile(
            image, own, ImageCms.createProfile("sRGB"), ImageCms.Intent.RELATIVE_COLORIMETRIC,
            "RGB", flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )  # fmt: skip
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError, AttributeError):
        return image, ()
    return (made or image), (NOTE_PROFILE.format(name=name),)
