"""Which format is a file? Detected from its first bytes (magic numbers), never its name."""

from app.errors import NotAPicture

READABLE = "PNG, JPEG, WebP, GIF or AVIF"

_PICTURES = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8", "JPEG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
)

_ADVICE = f"Please choose a {READABLE} file."
_SAVE_AS = f"Open it in a picture program, save it as {READABLE} and choose that file."
_PROGRAM = f"This file is a computer program, not a picture. {_ADVICE}"
_TIFF = f"This is a TIFF picture, which is not read here. {_SAVE_AS}"

_OTHER_FORMATS = (
    (b"\x7fELF", _PROGRAM),
    (b"MZ", _PROGRAM),
    (b"\xcf\xfa\xed\xfe", _PROGRAM),
    (b"\xca\xfe\xba\xbe", _PROGRAM),
    (b"%PDF", f"This file is a PDF document. Take a screenshot of its picture: {_ADVICE}"),
    (b"II*\0", _TIFF),
    (b"MM\0*", _TIFF),
    (b"BM", f"This is a BMP picture, which is not read here. {_SAVE_AS}"),
    (b"8BPS", f"This is a Photoshop file, which is not read here. {_SAVE_AS}"),
    (b"\xff\x0a", f"This is a JPEG XL picture, which is not read here. {_SAVE_AS}"),
    (b"\0\0\0\x0cJXL ", f"This is a JPEG XL picture, which is not read here. {_SAVE_AS}"),
    (b"\0\0\0\x0cjP  ", f"This is a JPEG 2000 picture, which is not read here. {_SAVE_AS}"),
    (b"\0\0\x01\0", f"This is an icon file, which is not read here. {_SAVE_AS}"),
    (b"PK\x03\x04", f"This file is a ZIP archive or an office document. {_ADVICE}"),
)

_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
_AVIF_BRANDS = (b"avif", b"avis")

_APPLE_PNG = (
    "This is a PNG as Apple packs it into apps (CgBI), which no browser shows. Open it on a Mac, "
    "export it as PNG and choose that file."
)
_RAW = (
    "This is a raw photo, as a camera stores it before developing (CR3). Open it in the camera's "
    "program and export it as JPEG."
)
HEIC_UNREAD = (
    "This is a HEIC photo, as an iPhone takes them, which is not read here. On the iPhone choose "
    "Settings > Camera > Formats > Most Compatible and take it again as a JPEG, or take a "
    "screenshot of it; on a computer, open it and export it as JPEG."
)
_SVG = f"This is an SVG drawing, which has no pixels of its own. Export it as PNG. {_ADVICE}"
_HTML = (
    "This is a web page, not a picture. On the page, right-click the picture itself, save it, "
    "and choose that file."
)
_EMPTY = f"This file is empty. {_ADVICE}"
_VIDEO = "This file is a video or a sound. Take a screenshot of one moment and choose that picture."
_TEXT = f"This file contains text, not a picture. {_ADVICE}"
_UNKNOWN = f"This file is not a picture that is read here. {_ADVICE}"


def picture_kind(data: bytes) -> str:
    """The picture format of a file: PNG, JPEG, WEBP, GIF, AVIF or HEIC.

    Raises NotAPicture with a sentence that names the file's probable format and what to do.
    """
    if data[12:16] == b"CgBI":
        raise NotAPicture(_APPLE_PNG)
    for start, kind in _PICTURES:
        if data.startswith(start):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp" and (kind := _boxed_kind(data[8:12], data[16:64])):
        return kind
    raise NotAPicture(_what_it_is_instead(data))


def _what_it_is_instead(data: bytes) -> str:
    if not data:
        return _EMPTY
    if data[4:8] == b"ftyp":
        return _what_the_box_holds(data[8:12], data[16:64])
    for start, sentence in _OTHER_FORMATS:
        if data.startswith(start):
            return sentence
    return _what_the_text_is(data[:4096])


def _what_the_box_holds(brand: bytes, compatible: bytes) -> str:
    return _RAW if brand == b"crx " or b"crx " in compatible else _VIDEO


def _boxed_kind(brand: bytes, compatible: bytes) -> str:
    # AVIF first: many AVIF files also name the HEIF brand mif1.
    if brand in _AVIF_BRANDS or any(b in compatible for b in _AVIF_BRANDS):
        return "AVIF"
    return "HEIC" if brand in _HEIC_BRANDS else ""


def _what_the_text_is(head: bytes) -> str:
    text = _as_text(head)
    if text is None:
        return _UNKNOWN
    lower = text.lower()
    if "<!doctype html" in lower or "<html" in lower:
        return _HTML
    if "<svg" in lower:
        return _SVG
    return _TEXT


def _as_text(head: bytes) -> str | None:
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return head.decode("utf-16", errors="ignore")
    # "ignore" because the text may be truncated inside a character.
    text = head.decode("utf-8", errors="ignore")
    strange = sum(ord(c) < 32 and c not in "\t\n\r\f" for c in text)
    lost = len(head) - len(text.encode())
    return text if strange == 0 and lost <= 3 else None
