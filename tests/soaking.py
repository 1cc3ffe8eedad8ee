"""Requests to the app, good and bad, and what has to come back: many for hours, some for the tests.

A request is a function of a `Caller`; it returns nothing where all is well, else a sentence on what is wrong.
"""

import json
import os
import random
import socket
import time
from collections.abc import Callable
from concurrent.futures import CancelledError
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import numpy as np
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from aullm_lite.video import write_video

TRACES = ("Traceback", 'File "', "site-packages")
TOO_LARGE = 21 << 20  # bytes
WAIT = 300  # seconds after which an answer is missing
Request = Callable[["Caller"], str | None]


class Caller:
    """A program that asks the app, one request after another; `known` are the answers that others got, by clip."""

    def __init__(self, url: str, folder: Path, known: dict, seed: int = 0):
        self.url, self.folder, self.known, self.rng = url, folder, known, random.Random(seed)
        self.again = 0  # requests asked twice
        self.http = httpx.Client(base_url=f"{url}gradio_api/", timeout=WAIT)
        self.arrive()

    def arrive(self) -> None:
        """Come as a program that has not been here before."""
        self.client = Client(self.url, verbose=False, httpx_kwargs={"timeout": WAIT})

    def detect(self, clip: Path) -> dict:
        try:
            return self.client.predict(handle_file(str(clip)), api_name="/detect")
        except CancelledError:  # Gradio's client asked while the stream of the answer before was being closed
            self.again += 1
            self.arrive()
            return self.client.predict(handle_file(str(clip)), api_name="/detect")

    def fresh(self, clip: Path) -> Path:
        """The same film as a file that nobody has sent before: an mp4 may end with bytes that are skipped."""
        path = self.folder / f"{self.rng.getrandbits(60):x}{clip.suffix}"
        path.write_bytes(clip.read_bytes() + (16).to_bytes(4, "big") + b"free" + self.rng.randbytes(8))
        return path


def good(clip: Path, aus: set[int], caller: Caller) -> str | None:
    """The right AUs, and in all else but the time it took the answer that everybody got."""
    sent = caller.fresh(clip)
    answer = caller.detect(sent)
    sent.unlink()
    answer.pop("latency_ms")
    found = {au["au"] for au in answer["aus"] if au["verdict"] == "present"}
    if not aus <= found:
        return f"{clip.name} shows {sorted(aus)}, found {sorted(found)}"
    return None if caller.known.setdefault(clip.name, answer) == answer else f"{clip.name} got another answer"


def refused(clip: Path, sentence: str, caller: Caller) -> str | None:
    """One friendly sentence."""
    try:
        answer = caller.detect(clip)
    except AppError as error:
        said = str(error)
        friendly = sentence in said and said.count(". ") == 0 and not any(trace in said for trace in TRACES)
        return None if friendly else f"{clip.name}: {said}"
    return f"{clip.name} was answered with {str(answer)[:80]}"


def turned_away(method: str, where: str, caller: Caller, **sent) -> str | None:
    """What no page and no client sends gets no answer, and no look inside."""
    answer = httpx.request(method, f"{caller.url}gradio_api/{where}", timeout=WAIT, **sent)
    calm = answer.status_code >= 400 and not any(trace in answer.text for trace in TRACES)
    return None if calm else f"{where}: {answer.status_code} {answer.text[:200]}"


def too_large(caller: Caller) -> str | None:
    """Refused, or cut off while it is still sent."""
    try:
        return turned_away("POST", "upload", caller, files={"files": ("large.mp4", bytes(TOO_LARGE))})
    except httpx.TransportError:
        return None


def cut_off(caller: Caller) -> None:
    """An upload that breaks off in the middle."""
    place = urlsplit(caller.url)
    with socket.create_connection((place.hostname, place.port)) as wire:
        head = "POST /gradio_api/upload HTTP/1.1\r\nHost: app\r\nContent-Length: 99999\r\n"
        wire.sendall((head + "Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\n").encode())
        wire.sendall(b'Content-Disposition: form-data; name="files"; filename="half.mp4"\r\n\r\n' + bytes(20_000))
        time.sleep(0.2)  # until the first part has been taken in
        if caller.rng.random() < 0.5:
            wire.shutdown(socket.SHUT_WR)


def posted(clip: Path, rate: float | None, caller: Caller) -> httpx.Response:
    """Ask without a client, which would look at what it sends; NaN is no JSON, though Python reads and writes it."""
    with open(clip, "rb") as file:
        (stored,) = caller.http.post("upload", files={"files": (clip.name, file)}).json()
    body = json.dumps({"data": [{"path": stored, "meta": {"_type": "gradio.FileData"}}, rate]})
    return caller.http.post("call/detect", content=body, headers={"content-type": "application/json"})


def walked_away(clip: Path, caller: Caller) -> str | None:
    """A good request whose answer nobody fetches."""
    asked = posted(clip, None, caller)
    return None if asked.status_code == 200 else f"call/detect: {asked.status_code} {asked.text[:200]}"


def odd_rate(clip: Path, rate: float, caller: Caller) -> str | None:
    """A rate that cannot be one is refused, before it is that request's turn or after."""
    asked = posted(clip, rate, caller)
    said = asked.text
    if asked.status_code == 200:
        said = caller.http.get(f"call/detect/{asked.json()['event_id']}").text
    calm = "event: error" in said or 400 <= asked.status_code < 500
    return None if calm and not any(trace in said for trace in TRACES) else f"{rate}: {asked.status_code} {said[:200]}"


def film(path: Path, frames: int, rate: int, picture: np.ndarray) -> Path:
    write_video(path, np.stack([picture] * frames), rate)
    return path


def bad_clips(folder: Path, clip: Path, picture: np.ndarray) -> dict[str, tuple[Path, str]]:
    """Files that are no clip of a face, each with a part of the sentence that it gets."""
    made = {name: folder / f"{name}.mp4" for name in ("empty", "text", "photo", "half")}
    made["empty"].touch()
    made["text"].write_text("This is no film. " * 100)
    Image.fromarray(picture).save(made["photo"], format="png")
    made["half"].write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    unread = "is not a video that can be read: give an mp4"
    return {
        "empty file": (made["empty"], "is empty: give an mp4"),
        "text": (made["text"], unread),
        "photo": (made["photo"], unread),
        "cut short": (made["half"], unread),
        "no face": (film(folder / "dark.mp4", 20, 20, np.zeros((64, 64, 3), np.uint8)), "No face was found"),
        "too long": (film(folder / "long.mp4", 62, 1, picture), "longer than 60 seconds: cut out"),
    }


def requests(
    folder: Path, clips: dict[Path, set[int]], picture: np.ndarray
) -> dict[str, Callable[[Caller], str | None]]:
    """All kinds by name.  `clips` are films and the AUs that must be found in each; `picture` is one of a face."""
    first = next(iter(clips))
    kinds = {f"good: {clip.stem}": partial(good, clip, aus) for clip, aus in clips.items()}
    kinds |= {name: partial(refused, clip, words) for name, (clip, words) in bad_clips(folder, first, picture).items()}
    kinds |= {f"rate {rate}": partial(odd_rate, first, rate) for rate in (-5.0, float("nan"), 1e300)}
    for place in ("call/nothing", "run/nothing", "queue/join"):
        kinds[place] = partial(turned_away, "POST", place, json={"data": [], "fn_index": 10**6})
    kinds["no JSON"] = partial(turned_away, "POST", "queue/join", content=b"{")
    kinds["file of the server"] = partial(turned_away, "GET", f"file={os.devnull}")
    return kinds | {"too large": too_large, "cut off": cut_off, "walked away": partial(walked_away, first)}
