"""How large an input may become in memory: a small file can claim far more than a machine holds.

Whatever a file says of itself is checked, or counted, before it is unpacked or decoded.
"""

import io
import zipfile

from PIL import Image

from .errors import InputError

MOST_PIXELS = 8192 * 8192  # of a picture or a frame of video; 8K has half of that
PIXELS_A_SECOND = 600e6  # of a clip whose length is limited; 4K at 60 frames a second has 500 million
MOST_UNPACKED = 8_000_000  # bytes of XML in a table: one of ten thousand rows has three million
PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # all that xlsx has; the others unpack in unlimited pieces
KINDS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP")  # of pictures


def check_pixels(width: int, height: int, name: str) -> None:
    """Raise `InputError` for a picture or a frame that is too large to decode."""
    if width * height > MOST_PIXELS:
        raise InputError(f"{name} has {most_pixels()}: make it smaller.")


def most_pixels() -> str:
    return f"more than {MOST_PIXELS / 1e6:.0f} million pixels"


def picture_size(content: bytes, name: str) -> tuple[int, int] | None:
    """Width and height by the header of a picture file, which is not decoded; None for what is none.

    Raises `InputError` where there are too many pixels.
    """
    try:
        with Image.open(io.BytesIO(content), formats=KINDS) as head:
            size = head.size
    except Image.DecompressionBombError:
        raise InputError(f"{name} has {most_pixels()}: make it smaller.") from None
    except Exception:  # Pillow raises many kinds for a damaged header
        return None
    check_pixels(*size, name)
    return size


def unpacked(content: bytes, name: str) -> io.BytesIO:
    """The XML of a zip in a plain zip, so that nobody unpacks later what was not counted here.

    A zip may lie about the size of its members.  Raises `InputError` for too much, `zipfile.BadZipFile` and other
    errors of that module for what is no zip.
    """
    left, plain = MOST_UNPACKED, io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as packed, zipfile.ZipFile(plain, "w") as copy:
        members = {entry.filename: entry for entry in packed.infolist() if entry.filename.endswith((".xml", ".rels"))}
        for entry in members.values():
            if entry.compress_type not in PACKINGS:
                raise zipfile.BadZipFile(entry.filename)
            with packed.open(entry) as member:
                text = member.read(left + 1)
            left -= len(text) + 1000  # also of empty members there may not be millions
            if left < 0:
                raise InputError(
                    f"{name} unpacks to more than {MOST_UNPACKED / 1e6:.0f} MB: save the table alone as a new xlsx."
                )
            copy.writestr(entry.filename, text)
    return plain
