"""How fast does the app answer a visitor, and how much memory do eight of them take?  `python .github/measure_app.py`

Starts app.py with the real model and drives it in a headless Chromium; prints JSON.  Needs the extra `test` and a
quiet machine.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.request import urlopen

from gradio_client import Client, handle_file
from playwright.sync_api import Page, sync_playwright

from aullm_lite.demo import example_clips

ROOT, PORT, VISITORS = Path(__file__).parents[1], "7891", 8
URL = f"http://127.0.0.1:{PORT}"


@contextmanager
def app() -> Iterator[int]:
    """The app in a process of its own, ready; its number."""
    environment = os.environ | {"GRADIO_SERVER_PORT": PORT, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, ROOT / "app.py"], env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            while process.poll() is None:
                with suppress(OSError):
                    urlopen(URL)
                    break
                time.sleep(0.5)
            yield process.pid
        finally:
            process.kill()


def peak_mb(pid: int) -> float:
    """The most memory that a process has held so far, in MiB; ffmpeg and such end too soon to count."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def clicked(page: Page, number: int) -> float:
    """Seconds from a click on an example to its verdicts."""
    page.reload()
    page.locator(".au-examples button").nth(number).click()
    start = time.monotonic()
    page.locator(".au-result table.au-table").first.wait_for()
    return time.monotonic() - start


def moved(page: Page, pixels: float) -> float:
    """Seconds from a new value of the slider of AU12 to the model's answer."""
    box = page.get_by_label("number input for AU12 Lip corner puller (pixels)").first
    box.fill(str(pixels))
    start = time.monotonic()
    box.press("Enter")
    page.locator(".au-study td", has_text=f"{pixels:.2f} px").first.wait_for()
    return time.monotonic() - start


def in_the_browser() -> dict:
    """What one visitor waits for."""
    with sync_playwright() as playwright:
        page = playwright.chromium.launch(executable_path=shutil.which("chromium")).new_page()
        page.set_default_timeout(60_000)
        page.goto(URL)
        page.locator(".au-examples button").first.wait_for()
        examples = [round(clicked(page, number), 2) for number in (0, 1, 2)]
        page.get_by_role("tab", name="Studio").click()
        page.locator(".au-study").wait_for()
        sliders = [round(moved(page, pixels), 2) for pixels in (2.5, 0.6, 1.2, 0.3)]
    return {"example_s": examples, "slider_s": sliders}


def all_at_once() -> dict:
    """Eight visitors who ask at the same moment: when each has the answer, and whether it is the right one."""
    clips = [example.video for example in example_clips()]
    together = threading.Barrier(VISITORS)

    def visit(number: int) -> tuple[float, list[int]]:
        client = Client(URL, verbose=False)
        together.wait()
        start = time.monotonic()
        report = client.predict(handle_file(str(clips[number % len(clips)])), api_name="/detect")
        return time.monotonic() - start, [au["au"] for au in report["aus"] if au["verdict"] == "present"]

    with ThreadPoolExecutor(VISITORS) as pool:
        done = list(pool.map(visit, range(VISITORS)))
    right = all(found == done[number % len(clips)][1] for number, (_, found) in enumerate(done))
    return {"visitors": VISITORS, "last_served_s": round(max(when for when, _ in done), 1), "all_the_same": right}


if __name__ == "__main__":
    with app() as pid:
        figures = in_the_browser() | all_at_once() | {"peak_mb": round(peak_mb(pid))}
    print(json.dumps(figures, indent=1))
