"""The app as programs see it that keep to no rules: any event, any input, through the queue or past it."""

import http.client
import json
import os
import random
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit
from uuid import uuid4

import av
import gradio as gr
import httpx
import numpy as np
import pytest
from gradio.route_utils import delete_files_created_by_app
from gradio.utils import get_upload_folder
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image
from sample_report import StillFinder, face_crop
from serve_app import app, pretend
from soaking import cut_off

from aullm_lite.pages import loaded, visits
from aullm_lite.video import write_video

WRONG = ["x", None, float("nan"), -1, 10**400, [1], {"a": 1}]
TRACES = ("Traceback", 'File "', "site-packages", "root:x:")


class Visitor:
    """Asks for any event by its name, as a page does but without a page."""

    def __init__(self, url: str):
        self.url, self.name = url, uuid4().hex
        self.http = httpx.Client(base_url=f"{url}gradio_api/", timeout=60)  # seconds: more is a hang
        page = httpx.get(f"{url}config").json()
        self.parts = {part["id"]: part for part in page["components"]}
        self.events = {event["api_name"]: event for event in page["dependencies"]}

    def values(self, event: str) -> list:
        """What the page would send at first."""
        return [self.parts[number]["props"].get("value") for number in self.events[event]["inputs"]]

    def kinds(self, event: str) -> list[str]:
        return [self.parts[number]["type"] for number in self.events[event]["inputs"]]

    def upload(self, path: Path) -> dict:
        with path.open("rb") as file:
            (stored,) = self.http.post("upload", files={"files": (path.name, file)}).json()
        return {"path": stored, "meta": {"_type": "gradio.FileData"}}

    def send(self, where: str, event: str, data: list, told=None) -> httpx.Response:
        body = {"fn_index": self.events[event]["id"], "data": data, "session_hash": self.name, "event_data": told}
        return self.http.post(where, content=json.dumps(body), headers={"content-type": "application/json"})

    def ask(self, event: str, data: list, told=None) -> tuple[bool, str]:
        """Through the queue: whether it went well, and the answer as text."""
        joined = self.send("queue/join", event, data, told)
        if joined.status_code != 200:
            assert 400 <= joined.status_code < 500
            return False, joined.text
        with self.http.stream("GET", "queue/data", params={"session_hash": self.name}) as lines:
            for line in lines.iter_lines():
                if line.startswith("data:") and (message := json.loads(line[5:]))["msg"] == "process_completed":
                    return message["success"], json.dumps(message["output"])
        pytest.fail(f"{event} was never answered.")


@pytest.fixture(scope="module")
def url():
    with pytest.MonkeyPatch.context() as patch:
        pretend(patch.setattr)
        yield app.demo.launch(prevent_thread_lock=True, quiet=True, **app.LAUNCH)[1]
        app.demo.close()


@pytest.fixture
def visitor(url):
    return Visitor(url)


def filmed(path: Path, frames: int = 20, rate: int = 20, face=face_crop(64)) -> Path:
    write_video(path, np.stack([face] * frames), rate)
    return path


def without_frames(path: Path) -> Path:
    """A stream is announced, and nothing follows."""
    with av.open(str(path := path.with_suffix(".avi")), "w") as container:
        stream = container.add_stream("mpeg4", rate=20)
        stream.width = stream.height = 64
        container.start_encoding()
    return path


def empty(path: Path) -> Path:
    path.touch()
    return path


def present(answer: str) -> list[int]:
    """The AUs that an answer of `/detect` calls present, in its order."""
    return [au["au"] for au in json.loads(answer)["data"][0]["aus"] if au["verdict"] == "present"]


BAD_CLIPS = {
    "is empty: give an mp4": empty,
    "holds no frames": without_frames,
    "holds a single frame": lambda path: filmed(path, 1),
    "longer than 60 seconds: cut out": lambda path: filmed(path, 62, 1),
    "No face was found: film one face": lambda path: filmed(path, face=np.zeros((64, 64, 3), np.uint8)),
}


@pytest.mark.parametrize("sentence", BAD_CLIPS)
def test_a_clip_without_what_it_needs_is_one_sentence(url, tmp_path, sentence):
    clip = BAD_CLIPS[sentence](tmp_path / "clip.mp4")
    with pytest.raises(AppError, match=sentence) as refused:
        Client(url, verbose=False).predict(handle_file(str(clip)), api_name="/detect")
    assert str(refused.value).count(". ") == 0


def test_an_upload_of_21_mb_is_refused_and_not_kept(visitor, tmp_path):
    path = tmp_path / f"{uuid4().hex}.mp4"
    path.write_bytes(bytes(21 * 2**20))
    answer = visitor.http.post("upload", files={"files": (path.name, path.read_bytes())})
    assert answer.status_code == 413 and "exceeded maximum allowed" in answer.text
    assert not list(Path(get_upload_folder()).rglob(path.name))
    with pytest.raises(ValueError, match="exceeds the maximum file size of 20971520 bytes"):
        Client(visitor.url, verbose=False).predict(handle_file(str(path)), api_name="/detect")


def test_an_upload_that_breaks_off_goes_when_no_more_comes(url):
    before = set(Path(get_upload_folder()).glob("tmp*"))
    cut_off(SimpleNamespace(url=url, rng=random.Random(0)))
    (half,) = set(Path(get_upload_folder()).glob("tmp*")) - before
    delete_files_created_by_app(app.demo, None)
    assert half.exists()  # it may still be coming
    os.utime(half, (0, 0))
    delete_files_created_by_app(app.demo, None)
    assert not half.exists()


@pytest.mark.parametrize("event", ["detect", "examine", "keep_clip", "hold_photo", "take_photo"])
def test_no_event_takes_a_file_that_nobody_uploaded(visitor, tmp_path, event):
    secret = tmp_path / "secret.mp4"
    secret.write_text("root:x:")
    meta = {"_type": "gradio.FileData"}
    paths = ["/etc/passwd", "app.py", "../app.py", str(secret), "file:///etc/passwd", f"{visitor.url}config"]
    for file in [*({"path": path, "meta": meta} for path in paths), {"path": "/etc/passwd"}, {"path": str(secret)}]:
        data = [file, *visitor.values(event)[1:]]
        well, answer = visitor.ask(event, data)
        direct = visitor.send("run/predict", event, data)
        assert not well and direct.status_code != 200
        assert not any(trace in text for trace in TRACES for text in (answer, direct.text))
    assert secret.exists()


@pytest.mark.parametrize("path", ["/etc/passwd", "app.py", "../app.py", "%2e%2e/app.py", "..%2f..%2fetc/passwd", ""])
def test_no_file_of_the_server_is_served_to_who_does_not_tidy_the_path(url, path):
    wire = http.client.HTTPConnection(urlsplit(url).netloc)
    wire.request("GET", f"/gradio_api/file={path}")  # as it stands: other clients resolve the dots first
    answer = wire.getresponse()
    assert 400 <= answer.status < 500 and not any(trace in answer.read().decode() for trace in TRACES)


def test_eight_visitors_at_once_get_the_answer_about_their_own_clip(url, tmp_path):
    def frames_found(frames: int) -> int:
        visitor = Visitor(url)
        well, answer = visitor.ask("detect", [visitor.upload(filmed(tmp_path / f"{frames}.mp4", frames)), None])
        assert well and present(answer) == [6, 12]
        return json.loads(answer)["data"][0]["video"]["frames"]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(frames_found, range(20, 28))) == list(range(20, 28))


def test_the_photo_that_moves_is_the_photo_uploaded(visitor, tmp_path, monkeypatch):
    seen, path = [], tmp_path / "portrait.png"
    picture = np.random.default_rng(0).integers(0, 256, (90, 70, 3), np.uint8)
    Image.fromarray(picture).save(path)
    finder = SimpleNamespace(find=lambda rgb: seen.append(rgb) or StillFinder().find(rgb))
    monkeypatch.setattr(loaded, "finder", lambda: finder)
    well, answer = visitor.ask("take_photo", [photo := visitor.upload(path)])
    assert well and np.array_equal(seen[0], picture) and not Path(photo["path"]).exists()


def test_who_leaves_is_forgotten(visitor, tmp_path):
    clip = visitor.upload(filmed(tmp_path / f"{uuid4().hex}.mp4"))
    with visitor.http.stream("GET", f"heartbeat/{visitor.name}") as page:
        next(beats := page.iter_lines())  # kept, for the stream ends with it
        assert visitor.ask("keep_clip", [clip])[0] and visitor.ask("examine", [clip, None])[0]
        assert visitor.ask("play", visitor.values("play"))[0]
        assert visitor.name in app.demo.state_holder.session_data and Path(clip["path"]).exists()
        beats.close()
    deadline = time.monotonic() + 30
    while visitor.name in app.demo.state_holder.session_data and time.monotonic() < deadline:
        time.sleep(0.2)
    assert visitor.name not in app.demo.state_holder.session_data and not Path(clip["path"]).exists()


def test_a_photo_that_two_visitors_have_stays_for_the_second(url, tmp_path, monkeypatch):
    monkeypatch.setattr(loaded, "finder", StillFinder)
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (90, 70, 3), np.uint8)).save(tmp_path / "portrait.png")
    one, other = Visitor(url), Visitor(url)
    photos = [who.upload(tmp_path / "portrait.png") for who in (one, other)]
    assert one.ask("hold_photo", photos[:1])[0] and other.ask("hold_photo", photos[1:])[0]
    assert one.ask("take_photo", photos[:1])[0] and other.ask("take_photo", photos[1:])[0]
    assert not Path(photos[1]["path"]).exists()


# --- inputs that no page sends ---


def assert_served(visitor: Visitor, clip: Path) -> None:
    """The queues go on, and a good request is answered right."""
    well, answer = visitor.ask("detect", [visitor.upload(clip), None])
    assert well and present(answer) == [6, 12]
    well, answer = visitor.ask("play", visitor.values("play"))
    assert well and "1.50 px, both sides" in answer


def test_no_wrong_value_stops_the_app_or_shows_its_inside(visitor, tmp_path):
    # by what goes in and what comes out, for some events differ only in what starts them
    different = {(*event["inputs"], None, *event["outputs"]): name for name, event in visitor.events.items()}
    for event in different.values():
        first, kinds = visitor.values(event), visitor.kinds(event)
        for place in {kind: place for place, kind in enumerate(kinds) if kind != "state"}.values():
            for wrong in WRONG:
                _, answer = visitor.ask(event, [*first[:place], wrong, *first[place + 1 :]])
                assert not any(trace in answer for trace in TRACES)
        past = visitor.send("run/predict", event, first[:-1])  # too few, and not through the queue
        assert not any(trace in past.text for trace in TRACES)
    assert_served(visitor, filmed(tmp_path / "clip.mp4"))


def test_no_control_of_the_studio_takes_what_is_no_number_or_choice(visitor):
    first, kinds = visitor.values("play"), visitor.kinds("play")
    for place in (place for place, kind in enumerate(kinds) if kind != "state"):
        for wrong in (float("nan"), [1]):
            assert not visitor.ask("play", [*first[:place], wrong, *first[place + 1 :]])[0]
    assert visitor.ask("play", first)[0]


def test_wrong_frame_rates_are_refused_and_the_next_clip_is_served(visitor, tmp_path):
    clip = filmed(tmp_path / "clip.mp4")
    for rate in ("x", float("nan"), float("inf"), 0, -1, 1e300, 10**400, [240], {"a": 1}):
        well, answer = visitor.ask("detect", [visitor.upload(clip), rate])
        assert not well and not any(trace in answer for trace in TRACES)
    assert_served(visitor, clip)


@pytest.mark.parametrize("event", ["examine_1", "surest", "answer", "why", "make_files", "why_1", "take_photo"])
def test_what_lacks_its_beginning_is_one_sentence(visitor, event):
    well, answer = visitor.ask(event, visitor.values(event))
    assert not well and "first" in json.loads(answer)["error"]


def test_where_nothing_was_made_nothing_is_shown(visitor):
    events = [event for event in visitor.events if event.startswith("if_current")]
    assert len(events) == 4 and all(visitor.ask(event, visitor.values(event))[0] for event in events)


@pytest.mark.parametrize(
    "told", [None, 5, "x", [1], {}, *({"number": n} for n in [3, -1, 1.0, "one", None, [1], True])]
)
def test_an_example_that_does_not_exist_is_one_sentence(visitor, told):
    well, answer = visitor.ask("pick_example", [], told)
    assert not well and "no such example" in answer


@pytest.mark.parametrize("wrong", [None, [12], [[]]])
def test_a_choice_that_is_none_is_one_sentence(visitor, tmp_path, wrong):
    assert visitor.ask("examine", [visitor.upload(filmed(tmp_path / "clip.mp4")), None])[0]
    assert visitor.ask("play", visitor.values("play"))[0]
    for event, places in (("why", (1, 2)), ("why_1", (1,)), ("limit", (0,))):
        for place in places:
            data = visitor.values(event)
            data[place] = wrong
            well, answer = visitor.ask(event, data)
            assert not well and json.loads(answer)["error"], (event, place)


def test_no_photo_is_nobodys_file(visitor):
    assert visitor.ask("hold_photo", [None])[0]
    assert visitor.name not in visits._HELD


# --- programs that speak MCP ---


def test_the_public_address_gives_only_what_can_be_sent():
    """MCP fails where an answer holds what is kept for a page, and pages fill the memory of a language model."""
    (public,) = (fn for fn in app.demo.fns.values() if fn.api_visibility == "public")
    assert [type(part) for part in public.outputs] == [gr.JSON]
