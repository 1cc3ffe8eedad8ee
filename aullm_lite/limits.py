"""How large an input may become in memory: a small file can claim far more than a machine holds.

Whatever a file says of itself is checked, or counted, before it is unpacked or decoded.
"""

import io
import zipfile

from .errors import InputError

MOST_UNPACKED = 8_000_000  # bytes of XML in a table: one of ten thousand rows has three million
PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # all that xlsx has; the others unpack in unlimited pieces


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
