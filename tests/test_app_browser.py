"""The app in a headless browser: what a visitor sees and does.  Run with `pytest -m browser`."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from serve_app import fake_examples

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser

SHOTS = os.environ.get("AULLM_SCREENSHOTS")  # a folder: keep pictures of every page that is tested
SIZES = {"desktop": (1280, 900), "telephone": (390, 844)}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def address():
    url = f"http://127.0.0.1:{(port := free_port())}"
    environment = {**os.environ, "GRADIO_SERVER_PORT": str(port), "GRADIO_SERVER_NAME": "127.0.0.1"}
    server = subprocess.Popen([sys.executable, Path(__file__).with_name("serve_app.py")], env=environment)
    try:
        wait_for(url, server)
        yield url
    finally:
        server.terminate()
        server.wait(20)


def wait_for(url: str, server: subprocess.Popen, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and server.poll() is None:
        try:
            return urllib.request.urlopen(url, timeout=2).close()
        except OSError:
            time.sleep(0.3)
    pytest.fail("The app did not start.")


@pytest.fixture(scope="module")
def browser():
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(params=[(size, scheme) for size in SIZES for scheme in ("light", "dark")], ids="-".join)
def page(request, browser, address):
    """The open app; afterwards: no other host was asked, no script failed, nothing scrolls sideways."""
    size, scheme = request.param
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    page = context.new_page()
    asked, failed = [], []
    page.on("request", lambda r: asked.append(urlsplit(r.url)))
    page.on("pageerror", lambda error: failed.append(str(error)))
    page.goto(f"{address}/?__theme={scheme}")
    page.wait_for_selector(".au-examples button")
    yield page
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{request.node.originalname}-{size}-{scheme}.png", full_page=True)
    assert {a.netloc for a in asked if a.scheme.startswith(("http", "ws"))} == {urlsplit(address).netloc}
    assert not failed
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


def upload(page, path: Path) -> None:
    page.set_input_files("input[type=file]", path)
    page.wait_for_selector("video")


def press(page) -> None:
    page.get_by_role("button", name="Find Action Units").click()


def test_first_sight(page):
    assert page.get_by_role("heading", name="AU-LLM Lite").is_visible()
    assert page.get_by_text("deleted within two hours").first.is_visible()
    assert page.locator(".au-examples button").count() == 3


def test_upload_and_read_the_result(page):
    upload(page, Path(fake_examples()[0].video))
    press(page)
    page.wait_for_selector(".au-table")
    rows = page.locator(".au-table tbody tr")
    assert rows.count() == 12 and "AU12 Lip corner puller" in rows.first.inner_text()
    assert "present" in rows.first.inner_text() and "1.15" in rows.first.inner_text()
    assert page.locator(".au-timeline svg >> visible=true").count() == 1
    assert page.locator("img[alt^='The face as the model saw it']").is_visible()
    with page.expect_download() as download:
        page.get_by_text("Download this report").click()
    assert '"au": 12' in Path(download.value.path()).read_text(encoding="utf-8")


def test_an_example_answers_by_itself(page):
    page.locator(".au-examples button").nth(2).press("Enter")
    page.wait_for_selector(".au-table")
    assert page.locator("video").count() == 1


def test_ask_why(page):
    page.locator(".au-examples button").first.click()
    page.wait_for_selector(".au-table")
    page.get_by_role("button", name="Why?", exact=True).click()
    page.wait_for_selector(".au-why")
    assert page.locator(".au-strip img").count() == 6 and page.locator(".au-zones tbody tr").count() == 9
    assert "AU12 zygomaticus major" in page.locator(".au-zones").inner_text()
    assert page.locator("img[alt^='The aligned face; coloured']").is_visible()
    page.get_by_label("Action Unit", exact=True).click()
    page.get_by_role("option", name="AU6 Cheek raiser").click()
    page.wait_for_selector(".au-why", state="detached")  # an old reason does not stand under a new question


def test_it_speaks_and_answers_questions_about_movement_only(page):
    page.locator(".au-examples button").first.click()
    page.wait_for_selector(".au-words")
    assert "AU6 cheek raiser on the left, weak" in page.locator(".au-words blockquote").inner_text()
    page.get_by_role("button", name="Ask about this clip").click()
    page.get_by_label("Question").fill("Is AU12 present?")
    page.get_by_label("Question").press("Enter")
    page.get_by_text("Yes.", exact=True).wait_for()
    page.get_by_label("Question").fill("Is she happy?")
    page.get_by_role("button", name="Ask", exact=True).click()
    page.get_by_text("never emotion, identity").wait_for()


def test_why_before_any_clip_gives_a_hint(page):
    page.get_by_role("button", name="Why?", exact=True).click()
    page.get_by_text("Find the Action Units of a clip first").first.wait_for()


def test_no_clip_gives_a_hint(page):
    press(page)
    page.get_by_text("Please upload or record a clip first").first.wait_for()


def test_bad_file_gives_a_sentence_and_no_traceback(page, tmp_path):
    path = tmp_path / "notes.mp4"
    path.write_bytes(b"hello")
    page.set_input_files("input[type=file]", path)
    page.get_by_label("Clear").or_(page.locator("video")).first.wait_for(state="attached")
    press(page)
    page.get_by_text("notes.mp4 is not a video that can be read").first.wait_for()
    assert "Traceback" not in page.content()
