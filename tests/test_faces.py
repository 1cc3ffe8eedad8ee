"""Faces found, placed and aligned; the real nets are marked `model`."""

import cv2
import numpy as np
import pytest
from skimage import data

from aullm_lite.blazeface import SHORT, merge
from aullm_lite.errors import InputError
from aullm_lite.faces import Face, FaceFinder, align, face_transform, to_rgb8
from aullm_lite.facs import EYES


def face_with_eyes(left, right) -> Face:
    points = np.zeros((468, 3))
    points[[33, 133], :2], points[[362, 263], :2] = left, right
    return Face((0, 0, 100, 100), 1.0, points, 1.0, False)


@pytest.mark.parametrize("left, right", [((100, 80), (160, 80)), ((300, 200), (340, 260)), ((50, 90), (20, 70))])
@pytest.mark.parametrize("size, extent", [(64, 1.0), (256, 1.5)])
def test_transform_puts_the_eyes_in_their_places(left, right, size, extent):
    matrix = face_transform(face_with_eyes(left, right), size, extent)
    landed = np.array([left, right]) @ matrix[:, :2].T + matrix[:, 2]
    assert np.allclose(((landed + 0.5) / size * 2 - 1) * extent, EYES, atol=1e-9)
    scale = matrix[:, :2] @ matrix[:, :2].T
    assert np.allclose(scale, scale[0, 0] * np.eye(2))  # turned and scaled alike in both axes: a similarity


def test_alignment_does_not_alias():
    """Stripes finer than the crop's pixels must average out, not turn into other stripes."""
    stripes = np.tile(np.array([0, 0, 255, 255], np.uint8), (600, 150))
    transform = face_transform(face_with_eyes((200, 200), (400, 200)), 64)
    crop, plain = align(stripes, transform, 64), cv2.warpAffine(stripes, transform, (64, 64))
    assert crop.std() < plain.std() / 8 and abs(crop.mean() - 127) < 3


def test_alignment_shifts_by_what_it_should():
    picture = cv2.GaussianBlur(np.random.default_rng(0).random((400, 400)).astype(np.float32), (0, 0), 12)
    here = align(picture, face_transform(face_with_eyes((150, 150), (250, 150)), 64), 64)
    there = align(np.roll(picture, 7, 1), face_transform(face_with_eyes((157, 150), (257, 150)), 64), 64)
    assert np.abs(here - there)[8:-8, 8:-8].max() < 1e-3


@pytest.mark.parametrize("frame, value", [
    (np.full((4, 5), 9, np.uint8), 9), (np.full((4, 5, 1), 9, np.uint8), 9), (np.full((4, 5, 4), 9, np.uint8), 9),
    (np.full((4, 5, 3), 9 * 257, np.uint16), 9), (np.full((4, 5, 3), 0.5), 128),
])  # fmt: skip
def test_every_usual_frame_becomes_rgb(frame, value):
    rgb = to_rgb8(frame)
    assert rgb.shape == (4, 5, 3) and rgb.dtype == np.uint8 and (rgb == value).all()


@pytest.mark.parametrize("frame", [np.zeros(5), np.zeros((4, 5, 7)), np.zeros((0, 5, 3)), np.full((4, 5, 3), np.nan)])
def test_what_is_no_frame_is_refused(frame):
    with pytest.raises(InputError):
        to_rgb8(frame)


def test_anchors_count_and_order():
    assert SHORT.anchors.shape == (896, 2)
    assert np.allclose(SHORT.anchors[:4], [[0.5 / 16] * 2, [0.5 / 16] * 2, [1.5 / 16, 0.5 / 16], [1.5 / 16, 0.5 / 16]])


def test_overlapping_boxes_become_one():
    rows = np.zeros((3, 16))
    rows[:, :4] = [(0.5, 0.5, 0.2, 0.2), (0.51, 0.5, 0.2, 0.2), (0.9, 0.9, 0.1, 0.1)]
    merged = merge(np.array([0.6, 0.9, 0.7]), rows)
    assert [round(float(score), 2) for score, _ in merged] == [0.9, 0.7]
    assert merged[0][1][0] == pytest.approx((0.5 * 0.6 + 0.51 * 0.9) / 1.5)


@pytest.fixture(scope="module")
def finder():
    return FaceFinder()


@pytest.mark.model
class TestNets:
    def test_astronaut(self, finder):
        (face,) = finder.find(data.astronaut())
        left, right = face.eyes
        assert face.score > 0.9 and face.presence > 0.99 and not face.cut_off
        assert np.linalg.norm(right - left) == pytest.approx(42, abs=2)
        assert left[0] < right[0] and 95 < left[1] < 112

    @pytest.mark.parametrize("picture", [data.cat(), data.coffee(), np.zeros((300, 300, 3), np.uint8),
                                         np.random.default_rng(0).integers(0, 255, (300, 300, 3), np.uint8)],
                             ids=["cat", "coffee", "black", "noise"])  # fmt: skip
    def test_no_face_where_there_is_none(self, finder, picture):
        assert finder.find(picture) == []

    def test_two_faces_largest_first(self, finder):
        small = cv2.copyMakeBorder(cv2.resize(data.astronaut(), (460, 460)), 0, 52, 0, 0, cv2.BORDER_CONSTANT)
        faces = finder.find(np.concatenate([small, data.astronaut()], 1))
        assert len(faces) == 2 and faces[0].area > faces[1].area and faces[0].box[0] > 460

    def test_the_same_face_in_an_8k_frame(self, finder):
        big = cv2.resize(data.astronaut(), None, fx=8, fy=8)
        (face,), (small,) = finder.find(big), finder.find(data.astronaut())
        assert np.allclose(np.array(face.eyes) / 8, np.array(small.eyes), atol=2.0)

    def test_turned_and_grey(self, finder):
        turn = cv2.getRotationMatrix2D((256, 256), 30, 1.0)
        (face,) = finder.find(
            to_rgb8(cv2.cvtColor(cv2.warpAffine(data.astronaut(), turn, (512, 512)), cv2.COLOR_RGB2GRAY))
        )
        (upright,) = finder.find(data.astronaut())
        assert np.allclose(np.array(upright.eyes) @ turn[:, :2].T + turn[:, 2], np.array(face.eyes), atol=3.0)

    def test_cut_off_face_says_so(self, finder):
        (face,) = finder.find(data.astronaut()[:, 215:])
        assert face.cut_off

    def test_small_face_in_a_large_frame(self, finder):
        frame = np.full((900, 900, 3), 128, np.uint8)
        frame[300:600, 300:600] = cv2.resize(data.astronaut(), (300, 300), interpolation=cv2.INTER_AREA)
        assert len(finder.find(frame)) == 1
