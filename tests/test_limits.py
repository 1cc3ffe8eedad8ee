"""Small files that would fill the memory: one sentence before they do."""

import io
import os
import struct
import subprocess
import sys
import zipfile
import zlib

import av
import cv2
import numpy as np
import pytest
import stand_ins
from openpyxl import Workbook
from PIL import Image
from sample_report import StillFinder

from aullm_lite import limits
from aullm_lite.datasets.tables import read_table
from aullm_lite.errors import InputError
from aullm_lite.limits import MOST_UNPACKED
from aullm_lite.video import open_video, read_picture, write_video
from aullm_lite.windows import windows

SHEET = "xl/worksheets/sheet1.xml"
OPEN = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))


def workbook(path, members: dict[str, bytes | str], compression=zipfile.ZIP_DEFLATED):
    """A small table with some members put in the place of its own."""
    plain = io.BytesIO()
    book = Workbook()
    book.active.append(stand_ins.CASME2)
    book.active.append(stand_ins.casme2_row(90, "EP01_1", 1, 5, 9))
    book.save(plain)
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(path, "w", compression) as new:
        for name in dict.fromkeys([*old.namelist(), *members]):
            new.writestr(name, members[name] if name in members else old.read(name))
    return path


def sheet(rows: str, after: str = "") -> str:
    return f"{OPEN}<sheetData>{rows}</sheetData>{after}</worksheet>"


def understate(path, name: str) -> None:
    """Let the zip say that a member unpacks to 100 bytes."""
    content = path.read_bytes()
    with zipfile.ZipFile(path) as packed:
        size = packed.getinfo(name).file_size.to_bytes(4, "little")
    assert content.count(size) == 2  # beside the member, and in the list at the end
    path.write_bytes(content.replace(size, (100).to_bytes(4, "little")))


def test_a_table_as_it_should_be(tmp_path):
    assert read_table(workbook(tmp_path / "t.xlsx", {})).rows[0].cells["filename"] == "EP01_1"


@pytest.mark.parametrize("name", [SHEET, "docProps/more.xml"])
@pytest.mark.parametrize("lies", [False, True])
def test_a_zip_that_unpacks_to_far_more(tmp_path, name, lies):
    path = workbook(tmp_path / "t.xlsx", {name: bytes(MOST_UNPACKED + 1)})
    assert path.stat().st_size < 100_000
    if lies:
        understate(path, name)
    with pytest.raises(InputError, match="t.xlsx (unpacks to more than 8 MB|is not an Excel table)"):
        read_table(path)


def test_pictures_in_a_table_are_passed_over(tmp_path):
    assert read_table(workbook(tmp_path / "t.xlsx", {"xl/media/photo.png": bytes(MOST_UNPACKED + 1)})).rows


def test_a_zip_of_another_kind(tmp_path):
    path = workbook(tmp_path / "t.xlsx", {}, compression=zipfile.ZIP_LZMA)  # no limit holds for what it unpacks to
    with pytest.raises(InputError, match="t.xlsx is not an Excel table"):
        read_table(path)


@pytest.mark.parametrize("rows", [
    '<row r="1048576"><c r="A1048576"><v>1</v></c></row>',
    "".join(f'<row r="{n}"><c r="XFD{n}"><v>1</v></c></row>' for n in range(1, 100)),
])  # fmt: skip
def test_a_table_as_large_as_excel_allows(tmp_path, rows):
    path = workbook(tmp_path / "t.xlsx", {SHEET: sheet(rows)})
    with pytest.raises(InputError, match="t.xlsx has more than 1 million cells"):
        read_table(path)


@pytest.mark.parametrize("after", [
    '<mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>',
    '<hyperlinks><hyperlink ref="A1:XFD1048576"/></hyperlinks>',
])  # fmt: skip
def test_a_range_over_everything_costs_nothing(tmp_path, after):
    row = '<row r="1"><c r="A1" t="str"><v>Subject</v></c><c r="B1" t="str"><v>Filename</v></c></row>'
    path = workbook(tmp_path / "t.xlsx", {SHEET: sheet(row + '<row r="2"><c r="A2"><v>1</v></c></row>', after)})
    assert read_table(path).rows[0].cells["subject"] == 1


def test_xml_that_grows_as_it_is_read(tmp_path):
    text = f'<!DOCTYPE x [<!ENTITY l0 "ha">{LAUGHS}]>' + sheet('<row r="1"><c r="A1" t="str"><v>&l11;</v></c></row>')
    with pytest.raises(InputError, match="t.xlsx is not an Excel table"):
        read_table(workbook(tmp_path / "t.xlsx", {SHEET: text}))


def test_a_damaged_byte_in_a_packed_member(tmp_path):
    path = workbook(tmp_path / "t.xlsx", {})
    with zipfile.ZipFile(path) as packed:
        at = packed.getinfo(SHEET).header_offset + 30 + len(SHEET)
    content = bytearray(path.read_bytes())
    content[at : at + 4] = b"\xff" * 4
    path.write_bytes(content)
    with pytest.raises(InputError, match="t.xlsx is not an Excel table"):
        read_table(path)


# --- pictures and videos ---


def grey_video(path, codec: str, pixels: str, width: int, height: int, count: int = 2):
    """A video without movement."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, pixels
        frame = av.VideoFrame(width, height, pixels)
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        for number in range(count):
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def png_claims(content: bytes, side: int) -> bytes:
    """The PNG in these bytes, or all of them, with another size in its header."""
    at = content.index(b"IHDR")
    old, new = content[at : at + 17], b"IHDR" + struct.pack(">II", side, side) + content[at + 12 : at + 17]
    return content.replace(old + struct.pack(">I", zlib.crc32(old)), new + struct.pack(">I", zlib.crc32(new)))


MEASURED = """
import resource, sys
from aullm_lite.errors import InputError
from aullm_lite.video import open_video
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    list(open_video(sys.argv[1]).frames())
except InputError as error:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted in kilobytes there")
def test_a_kilobyte_that_claims_256_million_pixels_takes_no_memory(tmp_path):
    path = grey_video(tmp_path / "bomb.mov", "png", "rgb24", 64, 64)
    path.write_bytes(png_claims(path.read_bytes(), 16_000))
    done = subprocess.run([sys.executable, "-c", MEASURED, path], capture_output=True, text=True, timeout=900)
    kilobytes, sentence = done.stdout.strip().split(" ", 1)
    assert int(kilobytes) < 100_000 and "bomb.mov cannot be decoded" in sentence and "67 million pixels" in sentence


@pytest.mark.parametrize("codec, suffix, pixels", [("libx264", "mp4", "yuv420p"), ("mjpeg", "avi", "yuvj420p")])
def test_a_video_of_too_many_pixels(tmp_path, monkeypatch, codec, suffix, pixels):
    path = grey_video(tmp_path / f"large.{suffix}", codec, pixels, 128, 64)
    assert len(list(open_video(path).frames())) == 2
    monkeypatch.setattr(limits, "MOST_PIXELS", 8000)
    with pytest.raises(InputError, match=f"large.{suffix} .*more than 0 million pixels"):
        list(open_video(path).frames())


def test_8k_is_read(tmp_path):
    path = grey_video(tmp_path / "8k.mp4", "mjpeg", "yuvj420p", 7680, 4320)
    assert [frame.rgb.shape for frame in open_video(path).frames()] == [(720, 1280, 3)] * 2


def test_more_pixels_than_there_is_time_for(tmp_path, monkeypatch):
    path = grey_video(tmp_path / "clip.mp4", "libx264", "yuv420p", 64, 64, count=25)
    monkeypatch.setattr(limits, "PIXELS_A_SECOND", 64 * 64 * 10)
    assert len(list(open_video(path).frames())) == 25  # without a limit of time there is none of work
    with pytest.raises(InputError, match="clip.mp4 has more pixels than 1 seconds of 4K video"):
        list(open_video(path, longest=1).frames())


@pytest.mark.parametrize("side", [9000, 16_000, 40_000])
def test_a_picture_that_claims_too_many_pixels(tmp_path, side):
    path = tmp_path / "1.png"
    path.write_bytes(png_claims(cv2.imencode(".png", np.zeros((64, 64, 3), np.uint8))[1].tobytes(), side))
    for read in (read_picture, lambda path: list(open_video(path.parent).frames())):
        with pytest.raises(InputError, match="1.png has more than 67 million pixels"):
            read(path)


def test_opencv_keeps_to_the_same_limit():
    """A header may say two sizes, such as a TIFF with a tag twice, and each library believes another."""
    small = png_claims(cv2.imencode(".png", np.zeros((64, 64, 3), np.uint8))[1].tobytes(), 16_000)
    with pytest.raises(cv2.error, match="pixels"):
        cv2.imdecode(np.frombuffer(small, np.uint8), cv2.IMREAD_COLOR)
    assert int(os.environ["OPENCV_IO_MAX_IMAGE_PIXELS"]) == limits.MOST_PIXELS


@pytest.mark.parametrize("suffix", ["jpg", "png", "bmp", "tif", "webp"])
@pytest.mark.parametrize("shape", [(4, 6), (4, 6, 3)])
def test_pictures_of_all_kinds(tmp_path, suffix, shape):
    path = tmp_path / f"1.{suffix}"
    path.write_bytes(cv2.imencode(f".{suffix}", np.full(shape, 120, np.uint8))[1].tobytes())
    assert np.abs(read_picture(path).astype(int) - 120).max() < 3


@pytest.mark.parametrize("shape", [(4, 6), (4, 6, 3)])
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_pictures_of_sixteen_bits(tmp_path, suffix, shape):
    path = tmp_path / f"1.{suffix}"
    path.write_bytes(cv2.imencode(f".{suffix}", np.full(shape, 30_000, np.uint16))[1].tobytes())
    assert (read_picture(path) == 30_000).all()


def test_a_damaged_picture_is_left_out(tmp_path):
    content = cv2.imencode(".png", np.zeros((64, 64, 3), np.uint8))[1].tobytes()
    (tmp_path / "0.png").write_bytes(content[:33] + bytes(100))
    (tmp_path / "1.png").write_bytes(b"GIF89a" + bytes(100))
    for number in (2, 3):
        (tmp_path / f"{number}.png").write_bytes(content)
    source = open_video(tmp_path)
    assert len(list(source.frames())) == 2 and sum("cannot be read as a picture" in w for w in source.warnings) == 2


def test_a_file_that_only_names_others_is_no_video(tmp_path):
    write_video(tmp_path / "secret.mp4", np.zeros((5, 64, 64, 3), np.uint8), 25)
    (tmp_path / "list.mp4").write_text("ffconcat version 1.0\nfile secret.mp4\n")
    with pytest.raises(InputError, match="list.mp4 is not a video that can be read"):
        open_video(tmp_path / "list.mp4")


def test_numbers_too_far_apart_do_not_run_for_ever(tmp_path):
    for number in (1, 2, 99999999999999999999):
        Image.new("L", (64, 64), 100).save(tmp_path / f"{number}.png")
    with pytest.raises(InputError, match="longer than 100,000 seconds"):
        list(windows(open_video(tmp_path), StillFinder()))
