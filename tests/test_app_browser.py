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
from PIL import Image
from serve_app import fake_examples

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser

SHOTS = os.environ.get("AULLM_SCREENSHOTS")  # a folder: keep pictures of every page that is tested
SIZES = {"desktop": (1280, 900), "telephone": (390, 844)}
GRADIO_OWN = {
    "label-content-name-mismatch",
    "image-redundant-alt",
    "aria-prohibited-attr",
}  # rules that it breaks itself


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def uploads(tmp_path_factory) -> Path:
    """Where the server keeps the files of its visitors."""
    return tmp_path_factory.mktemp("uploads")


@pytest.fixture(scope="module")
def address(uploads):
    url = f"http://127.0.0.1:{(port := free_port())}"
    environment = {**os.environ, "GRADIO_SERVER_PORT": str(port), "GRADIO_SERVER_NAME": "127.0.0.1",
                   "GRADIO_TEMP_DIR": str(uploads), "GRADIO_HEARTBEAT_INTERVAL": "0.5"}  # fmt: skip
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


def open_tab(page, name: str) -> None:
    """As by keyboard alone."""
    tab = page.get_by_role("tab", name=name)
    tab.focus()
    tab.press("Enter")


def press(page) -> None:
    page.get_by_role("button", name="Find Action Units").click()


def test_first_sight(page):
    assert page.get_by_role("heading", name="AU-LLM Lite").is_visible()
    assert page.get_by_text("deleted when you leave").first.is_visible()
    assert page.get_by_role("tab").count() == 3
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
    for link, words in (("Download this report", '"au": 12'), ("Download the table", "12,Lip corner puller,present")):
        with page.expect_download() as download:
            page.get_by_text(link).click()
        assert words in Path(download.value.path()).read_text(encoding="utf-8")


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


def test_picture_and_video_can_be_taken_away(page):
    page.locator(".au-examples button").first.click()
    page.wait_for_selector(".au-table")
    page.get_by_role("button", name="Take it with you").click()
    page.get_by_role("button", name="Make picture and video").click()
    starts = {"Download picture (PNG)": (b"\x89PNG", 0), "Download annotated video (MP4)": (b"ftyp", 4)}
    for name, (start, offset) in starts.items():
        with page.expect_download() as download:
            page.get_by_role("button", name=name).click(timeout=60_000)  # it can be pressed once the file is there
        assert Path(download.value.path()).read_bytes()[offset : offset + 4] == start
    page.locator(".au-examples button").nth(1).click()  # the files of an old result go with it
    page.wait_for_function(
        "[...document.querySelectorAll('button')].some(b => b.textContent.includes('PNG') && b.disabled)"
    )


def test_a_second_click_and_a_reload_in_mid_run_are_harmless(page):
    upload(page, Path(fake_examples()[0].video))
    press(page)
    press(page)
    page.reload()
    page.wait_for_selector(".au-examples button")
    page.locator(".au-examples button").first.click()
    page.wait_for_selector(".au-table")


def test_results_survive_a_change_of_tabs(page):
    page.locator(".au-examples button").first.click()
    page.wait_for_selector(".au-table")
    open_tab(page, "Learn")
    page.wait_for_selector(".au-atlas")
    open_tab(page, "Detect")
    assert page.locator(".au-result .au-timeline").is_visible() and page.locator("video").count() == 1


def open_studio(page) -> None:
    open_tab(page, "Studio")
    page.wait_for_selector(".au-study tbody tr")


def test_studio_answers_a_slider(page):
    open_studio(page)
    assert page.locator(".au-study tbody tr").count() == 12
    film = page.locator(".au-gate img >> visible=true")
    assert film.get_attribute("alt") == "Drawn person 32: AU12 Lip corner puller moves by 1.50 px, both sides."
    page.get_by_label("range slider for AU12 Lip corner puller (pixels)").press("ArrowRight")
    page.get_by_text("1.55 px, both sides", exact=True).wait_for()
    page.get_by_role("radio", name="Left").first.check()
    page.get_by_text("1.55 px, left", exact=True).wait_for()
    page.get_by_role("button", name="Set all to 0").click()
    page.get_by_text("Nothing moves.").first.wait_for()


def test_studio_film_can_be_stopped(page):
    open_studio(page)
    film = page.locator(".au-gate img >> visible=true")
    assert film.evaluate("e => getComputedStyle(e).animationPlayState") == "running"
    page.get_by_label("Stop or play").check()
    assert film.evaluate("e => getComputedStyle(e).animationPlayState") == "paused"
    page.get_by_label("True speed").check()
    assert film.evaluate("e => parseFloat(getComputedStyle(e).animationDuration)") == pytest.approx(0.41, abs=0.02)


def test_studio_shows_the_skin_that_moved(page):
    open_studio(page)
    page.get_by_role("button", name="Show why").click()
    page.wait_for_selector(".au-pair")
    alts = [picture.get_attribute("alt") for picture in page.locator(".au-pair img").all()]
    assert len(alts) == 2 and alts[0].startswith("The face; coloured") and "really moved" in alts[1]
    page.get_by_label("Look closer at").click()
    page.get_by_role("option", name="AU6 Cheek raiser").click()
    page.wait_for_selector(".au-pair", state="detached")


def test_studio_game_and_another_person(page):
    open_studio(page)
    assert page.get_by_role("heading", name="Beat the model").is_visible()
    page.get_by_role("button", name="How weak can it be?").click()
    page.get_by_text("On this face").or_(page.get_by_text("even when this face is still")).first.wait_for()
    page.get_by_role("button", name="Another person").click()
    page.wait_for_function("!document.querySelector('.au-stage .au-gate img').alt.startsWith('Drawn person 32:')")


@pytest.mark.parametrize("content, sentence", [(b"hello", "not a picture"), (None, "No face was found")])
def test_studio_refuses_a_photo_in_one_sentence_and_deletes_it(page, uploads, tmp_path, content, sentence):
    path = tmp_path / "portrait.png"
    Image.new("RGB", (90, 90), "grey").save(path) if content is None else path.write_bytes(content)
    open_studio(page)
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Use a photo").click()
    chooser.value.set_files(path)
    page.get_by_text(sentence).first.wait_for()
    assert not list(uploads.rglob("portrait.png")) and page.locator(".au-study tbody tr").count() == 12


def test_learn_shows_each_au_moving(page):
    open_tab(page, "Learn")
    page.wait_for_selector(".au-atlas tbody tr", timeout=60_000)
    alts = [picture.get_attribute("alt") for picture in page.locator(".au-atlas img").all()]
    assert len(alts) == 12 and all(alt.startswith("A drawn face: AU") for alt in alts)
    assert page.get_by_role("heading", name="What this tool must not be used for").is_visible()
    assert page.locator(".au-course a").count() == 22


def test_who_wants_no_motion_gets_none_until_asked(browser, address):
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto(address)
    page.get_by_role("tab", name="Studio").click()
    film = page.locator(".au-gate img >> visible=true")
    film.wait_for()
    state = "element => getComputedStyle(element).animationPlayState"
    assert film.evaluate(state) == "paused"
    page.get_by_label("Stop or play", exact=True).check()
    assert film.evaluate(state) == "running"
    context.close()


# Whether what has the focus looks different from when it has not; itself, or what is drawn around it or in its place.
FOCUS_IS_SEEN = """() => {
  const here = document.activeElement, around = [here];
  while (around.length < 4) around.push(around.at(-1).parentElement ?? here);
  const parts = [...around, ...(here.labels ?? []), ...(here.parentElement?.children ?? [])];
  const look = () => parts.map(part => { const style = getComputedStyle(part);
    return [style.outline, style.boxShadow, style.border, style.backgroundColor, style.color].join() }).join();
  const box = here.getBoundingClientRect(), focused = look();
  here.blur(); const blurred = look(); here.focus({ preventScroll: true });
  return box.width > 0 && box.bottom > 0 && box.top < innerHeight && focused !== blurred;
}"""


def walk(page, wanted, key: str = "Tab") -> None:
    """Press a key until the focus is where it is wanted; on the way it is always seen."""
    for _ in range(100):
        page.keyboard.press(key)
        here = page.evaluate("document.activeElement.outerHTML.slice(0, 200)")
        if here.startswith("<body"):
            continue
        assert page.evaluate(FOCUS_IS_SEEN), here
        if wanted.evaluate("element => element === document.activeElement"):
            return
    pytest.fail(f"{wanted} cannot be reached by {key}.")


@pytest.mark.parametrize("page", [("desktop", "light"), ("telephone", "dark")], ids="-".join, indirect=True)
def test_a_keyboard_is_enough(page):
    page.add_style_tag(content="* { transition: none !important; }")  # a look is compared with another at once
    walk(page, page.locator(".au-examples button").first)
    page.keyboard.press("Enter")
    page.wait_for_selector(".au-table")
    walk(page, page.get_by_role("button", name="Why?", exact=True))
    page.keyboard.press("Enter")
    page.wait_for_selector(".au-why")
    walk(page, page.get_by_role("tab", name="Studio"), "Shift+Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector(".au-study tbody tr")
    walk(page, page.get_by_label("range slider for AU12 Lip corner puller (pixels)"))
    page.keyboard.press("ArrowRight")
    page.get_by_text("1.55 px, both sides", exact=True).wait_for()
    walk(page, page.get_by_role("tab", name="Learn"), "Shift+Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector(".au-atlas tbody tr", timeout=60_000)
    walk(page, page.locator(".au-course a").first)


@pytest.mark.parametrize("tab", ["Detect", "Studio", "Learn"])
def test_axe_finds_nothing(page, tab):
    from axe_playwright_python.sync_playwright import Axe

    ready = {"Detect": ".au-table", "Studio": ".au-study", "Learn": ".au-atlas"}[tab]
    open_tab(page, tab)
    if tab == "Detect":
        page.locator(".au-examples button").first.click()
    page.wait_for_selector(ready, timeout=60_000)
    page.add_style_tag(content="* { transition: none !important; }")  # half faded, a word has half its contrast
    page.wait_for_function("!document.querySelector('.pending')")
    while (closed := page.locator("button.label-wrap:not(.open) >> visible=true")).count():
        closed.first.click()
    found = {
        broken["id"]: [node["html"] for node in broken["nodes"]] for broken in Axe().run(page).response["violations"]
    }
    assert not {rule: where for rule, where in found.items() if rule not in GRADIO_OWN}


def visit(browser, address):
    """A page in a context of its own, which ends with its visit."""
    page = browser.new_context().new_page()
    page.goto(address)
    page.wait_for_selector(".au-examples button")
    return page


def bring(page, path: Path) -> None:
    """Upload a copy of an example under another name, and wait until it is noted whose it is."""
    shutil.copy(fake_examples()[0].video, path)
    with page.expect_response("**/run/predict*"):
        upload(page, path)


def assert_gone(uploads: Path, name: str) -> None:
    deadline = time.monotonic() + 30
    while list(uploads.rglob(name)) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert not list(uploads.rglob(name))


def test_a_clip_goes_with_its_visitor(browser, address, uploads, tmp_path):
    page = visit(browser, address)
    bring(page, path := tmp_path / "goes-with-me.mp4")
    assert list(uploads.rglob(path.name))
    page.context.close()
    assert_gone(uploads, path.name)


@pytest.mark.parametrize("leave", ["close", "reload"])
def test_who_leaves_in_mid_run_takes_the_clip_along_and_the_next_is_served(browser, address, uploads, tmp_path, leave):
    page, other = visit(browser, address), visit(browser, address)
    bring(page, path := tmp_path / f"{leave}-in-mid-run.mp4")
    press(page)
    page.get_by_text("of the video seen").first.wait_for()
    getattr(page, leave)()
    other.locator(".au-examples button").first.click()
    other.wait_for_selector(".au-table")
    assert_gone(uploads, path.name)
    for one in (page, other):
        one.context.close()


def test_a_clip_of_21_mb_is_refused_in_one_sentence(page, tmp_path):
    path = tmp_path / "large.mp4"
    path.write_bytes(bytes(21 * 2**20))
    page.set_input_files("input[type=file]", path)
    page.get_by_text("maximum").first.wait_for()
    assert "Traceback" not in page.content() and not page.locator("video").count()
