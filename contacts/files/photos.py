"""Photos of people: a small square, drawn anew from what a card has, so that nothing else of the
file (place, camera, script, a second picture) comes along."""

import warnings
from io import BytesIO

from PIL import Image, ImageOps, UnidentifiedImageError

SIDE = 256
LARGEST_FILE = 10 * 1024 * 1024
MOST_PIXELS = 40_000_000
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP")
# What Pillow raises on files that are torn, or made to do harm.
TROUBLE = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    MemoryError,
    UnidentifiedImageError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


def is_photo(data: bytes) -> bool:
    """Return whether data begins like a picture of a size that we draw; nothing is decoded."""
    try:
        return _open(data) is not None
    except TROUBLE:
        return False


def thumbnail(data: bytes) -> bytes | None:
    """Return a picture as a JPEG, SIDE pixels square, cut from its middle; None if it cannot be
    read, or is larger than MOST_PIXELS."""
    try:
        image = _open(data)
        if image is None:
            return None
        # A JPEG is decoded at a fraction of its size right away.
        image.draft("RGB", (2 * SIDE, 2 * SIDE))
        image = ImageOps.exif_transpose(image)
        out = BytesIO()
        _on_white(ImageOps.fit(_smooth(image), (SIDE, SIDE))).save(out, "JPEG", quality=85)
        return out.getvalue()
    except TROUBLE:
        return None


def _open(data: bytes) -> Image.Image | None:
    if not data or len(data) > LARGEST_FILE:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        image = Image.open(BytesIO(data), formats=FORMATS)
    width, height = image.size
    return image if 0 < width * height <= MOST_PIXELS else None


def _smooth(image: Image.Image) -> Image.Image:
    """Return it in a mode that can be made smaller smoothly; as large as it is, few are copied."""
    return image if image.mode in {"RGB", "RGBA", "L"} else image.convert("RGBA")


def _on_white(image: Image.Image) -> Image.Image:
    """Return it on a sheet of its own: a JPEG has no transparency, and comments would come along
    with the image."""
    sheet = Image.new("RGB", image.size, "white")
    sheet.paste(image, mask=image if image.mode == "RGBA" else None)
    return sheet
