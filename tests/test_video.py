"""Videos, folders and windows: true times, and a sentence for everything that is no video."""

import cv2
import numpy as np
import pytest
from sample_report import StillFinder

from aullm_lite import video
from aullm_lite import windows as sliding
from aullm_lite.errors import InputError
from aullm_lite.video import open_video, write_video
from aullm_lite.windows import sample_clip


def frames(count: int, size: int = 96, brightness=lambda n: 100 + n) -> np.ndarray:
    return np.stack([np.full((size, size, 3), brightness(n), np.uint8) for n in range(count)])


@pytest.fixture
def clip(tmp_path):
    path = tmp_path / "Größe und Raum.mp4"  # a space and letters beyond ASCII
    write_video(path, frames(60), 30)
    return path


def windows(path, finder=None, **options):
    source = open_video(path, **options)
    return source, list(sliding.windows(source, finder or StillFinder()))


@pytest.mark.parametrize("suffix", ["mp4", "mov", "webm", "avi"])
def test_containers(tmp_path, suffix):
    import av

    path = tmp_path / f"clip.{suffix}"
    codec = {"webm": "libvpx", "avi": "mpeg4"}.get(suffix, "libx264")
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for picture in frames(20, 64):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
        container.mux(stream.encode())
    times = [frame.time for frame in open_video(path).frames()]
    assert len(times) == 20 and np.allclose(np.diff(times), 0.04, atol=2e-3)


def test_info_windows_and_times(clip):
    source, found = windows(clip)
    assert source.info.frames == 60 and source.info.fps == pytest.approx(30, abs=0.1)
    assert len(found) == 15  # starts 0, 0.1 .. 1.4; the last frame is at 1.967 s
    assert found[3].start == pytest.approx(0.3) and found[3].end == pytest.approx(0.8)
    assert np.allclose(found[3].times, np.linspace(0.3, 0.8, 6))
    assert found[0].clip.shape == (6, 64, 64) and found[0].clip.dtype == np.float32
    assert found[0].onset_crop.shape == (192, 192, 3) and found[0].onset_crop.dtype == np.uint8


def test_the_same_movement_at_two_rates_gives_the_same_clip(tmp_path):
    for fps in (200, 100):
        folder = tmp_path / str(fps)
        folder.mkdir()
        for n in range(fps):
            cv2.imwrite(str(folder / f"img{n}.png"), np.full((96, 96), 60 + 100 * n / fps, np.uint8))
    fast, slow = (windows(tmp_path / str(fps), fps=fps)[1] for fps in (200, 100))
    assert np.allclose(fast[2].times, slow[2].times)
    assert np.allclose(fast[2].clip, slow[2].clip, atol=1.5 / 255)


def test_gaps_in_the_numbers_are_gaps_in_time(tmp_path):
    for n in (1, 2, 3, 8, 9):
        cv2.imwrite(str(tmp_path / f"reg_img{n}.png"), np.full((64, 64), 100, np.uint8))
    assert [round(f.time, 3) for f in open_video(tmp_path, fps=100).frames()] == [0.0, 0.01, 0.02, 0.07, 0.08]


def test_sampling_mixes_neighbours_by_time():
    crops = np.array([0.0, 10.0, 20.0])[:, None, None] * np.ones((3, 2, 2))
    mixed = sample_clip([0.0, 0.1, 0.4], crops, np.array([0.0, 0.05, 0.25, 0.4]))
    assert np.allclose(mixed[:, 0, 0], [0, 5, 15, 20])


def test_only_half_a_second_of_frames_is_kept(clip, monkeypatch):
    kept = []
    forget = sliding._Scan.forget
    monkeypatch.setattr(sliding._Scan, "forget", lambda self: (forget(self), kept.append(len(self.buffer)))[0])
    windows(clip)
    assert max(kept) <= 18  # half a second at 30 frames a second, and its neighbours


def test_a_span_is_one_window(clip):
    _, found = windows(clip, span=(0.5, 0.9))
    assert len(found) == 1 and np.allclose(found[0].times, np.linspace(0.5, 0.9, 6))


def test_short_clip_is_interpolated_and_warned(tmp_path):
    write_video(tmp_path / "short.mp4", frames(4), 100)
    source, found = windows(tmp_path / "short.mp4")
    assert len(found) == 1 and found[0].clip.shape == (6, 64, 64)
    assert any("4 frames" in w for w in source.warnings)


def test_slow_video_and_several_faces_are_warned_once(clip):
    source, _ = windows(clip, StillFinder(faces=3))
    assert sum("frames a second" in w for w in source.warnings) == 1
    assert sum("Several faces" in w for w in source.warnings) == 1


def test_windows_without_a_face_are_left_out_and_counted(tmp_path):
    write_video(tmp_path / "half.mp4", frames(60, brightness=lambda n: 0 if n >= 30 else 120), 30)
    source, found = windows(tmp_path / "half.mp4")
    assert 0 < len(found) < 15 and any("No face was found in" in w for w in source.warnings)


def test_grey_alpha_and_sixteen_bit_frames(tmp_path):
    pictures = [
        np.full((64, 64), 120, np.uint8),
        np.full((64, 64, 4), 120, np.uint8),
        np.full((64, 64, 3), 120 * 257, np.uint16),
    ]
    for n, picture in enumerate(pictures):
        cv2.imwrite(str(tmp_path / f"{n}.png"), picture)
    read = [frame.rgb for frame in open_video(tmp_path).frames()]
    assert all(
        picture.shape == (64, 64, 3) and picture.dtype == np.uint8 and (picture == 120).all() for picture in read
    )


def test_8k_frames_are_reduced(tmp_path):
    for n in range(2):
        cv2.imwrite(str(tmp_path / f"{n}.jpg"), np.full((4320, 7680, 3), 100, np.uint8))
    assert max(next(open_video(tmp_path).frames()).rgb.shape) == video.LARGEST


def test_truncated_file_is_used_as_far_as_it_goes(tmp_path):
    import av

    path = tmp_path / "cut.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 64
        for picture in np.random.default_rng(0).integers(0, 255, (30, 64, 64, 3), np.uint8):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
        container.mux(stream.encode())
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert 2 <= len(list(open_video(path).frames())) < 30


def bad_inputs(folder):
    """Name, path and a word of the sentence that must come."""
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "text.mp4").write_text("no video at all " * 50)
    (folder / "nothing").mkdir()
    (folder / "one").mkdir()
    cv2.imwrite(str(folder / "one" / "1.png"), np.full((64, 64), 100, np.uint8))
    (folder / "broken").mkdir()
    (folder / "broken" / "1.png").write_bytes(b"")
    write_video(folder / "dark.mp4", frames(30, brightness=lambda n: 0), 30)
    return {
        "missing.mp4": "check the path",
        "empty.mp4": "empty",
        "text.mp4": "not a video",
        "nothing": "no pictures",
        "one": "single frame",
        "broken": "no frames",
        "dark.mp4": "No face",
    }


def test_a_video_of_an_unknown_kind_is_one_sentence(clip):
    content = clip.read_bytes()
    assert content.count(b"avc1") >= 1
    clip.write_bytes(content.replace(b"avc1", b"none").replace(b"avcC", b"nonC"))
    with pytest.raises(InputError, match="coded in a way that is not known here"):
        list(open_video(clip).frames())


@pytest.mark.parametrize("name", ["missing.mp4", "empty.mp4", "text.mp4", "nothing", "one", "broken", "dark.mp4"])
def test_bad_input_is_one_sentence(tmp_path, name):
    word = bad_inputs(tmp_path)[name]
    with pytest.raises(InputError, match=word) as caught:
        windows(tmp_path / name)
    assert "\n" not in str(caught.value)


def numbered(folder, names) -> None:
    for brightness, name in enumerate(names):
        cv2.imwrite(str(folder / name), np.full((64, 64), brightness % 200 + 50, np.uint8))


def test_a_stray_picture_does_not_scramble_the_order(tmp_path):
    numbered(tmp_path, [*(f"img{n}.png" for n in range(1, 13)), "cover.png"])
    source = open_video(tmp_path)
    assert [int(f.rgb[0, 0, 0]) for f in source.frames()] == list(range(50, 62))
    assert any("cover.png" in w for w in source.warnings)


def test_without_numbers_of_their_own_frames_go_in_the_order_of_their_names(tmp_path):
    numbered(tmp_path, ["a2 of 1.png", "a10 of 1.png"])
    assert [int(f.rgb[0, 0, 0]) for f in open_video(tmp_path).frames()] == [50, 51]


def test_a_gap_in_time_starts_anew(tmp_path):
    numbered(tmp_path, [f"{n}.png" for n in [*range(70), *range(2000, 2070)]])
    source, found = windows(tmp_path, fps=100)
    assert [round(w.start, 1) for w in found] == [0.0, 0.1, 20.0, 20.1]
    assert any("gaps of more than half a second" in w for w in source.warnings)


def test_frames_seconds_apart_are_refused(tmp_path):
    numbered(tmp_path, [f"{n}.png" for n in range(1, 4)])
    with pytest.raises(InputError, match="half a second apart"):
        windows(tmp_path, fps=1)


def test_closer_frames_than_needed_are_passed_over(tmp_path, monkeypatch):
    kept, take = [], sliding._Scan.take
    monkeypatch.setattr(sliding._Scan, "take", lambda self, f: (take(self, f), kept.append(len(self.buffer)))[0])
    numbered(tmp_path, [f"{n}.png" for n in range(700)])
    windows(tmp_path, fps=1000)
    assert 60 < max(kept) < 125


def test_a_hundred_frames_a_second_are_enough(tmp_path):
    numbered(tmp_path, [f"{n}.png" for n in range(8)])
    source, _ = windows(tmp_path, fps=100)
    assert not any("may miss" in w for w in source.warnings)


class TwoPeople(StillFinder):
    """Two people; the larger one is not found in the third frame that is looked at."""

    def find(self, frame):
        near, far = super().find(frame)[0], super().find(frame)[0]
        far.landmarks[:, 0] += 60
        return [far] if self.calls == 6 else [near, far]


def test_a_face_that_is_missed_once_is_not_exchanged(clip):
    _, found = windows(clip, TwoPeople())
    assert {float(w.face.landmarks[33, 0]) for w in found} == {96 * 0.4}


def test_too_long_by_the_header_or_by_what_is_read(clip, tmp_path, monkeypatch):
    with pytest.raises(InputError, match="longer than 1 seconds"):
        open_video(clip, longest=1)
    monkeypatch.setattr(video.Video, "expect_length", lambda self: None)  # a recording without a length in its header
    with pytest.raises(InputError, match="longer than 1 seconds"):
        list(open_video(clip, longest=1).frames())


def test_times_that_go_back_are_counted(clip, monkeypatch):
    source = open_video(clip)
    pictures = frames(5)
    monkeypatch.setattr(source, "_from_file", lambda: iter(zip([0.0, 0.01, 0.02, 0.01, 0.03], pictures)))
    assert len(list(source.frames())) == 4 and any("1 frames carry times" in w for w in source.warnings)


@pytest.mark.parametrize("options", [{"fps": 0}, {"fps": float("nan")}, {"span": (1.0, 0.5)}, {"span": (0.0, 60.0)}])
def test_impossible_options(clip, options):
    with pytest.raises(InputError):
        open_video(clip, **options)


def test_span_after_the_end(clip):
    with pytest.raises(InputError, match="after the end"):
        windows(clip, span=(9.0, 9.5))
