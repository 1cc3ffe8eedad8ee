"""Make pictures and figures of the README anew: `make_readme.py [people|result|why|app|tables|course|figures]`."""

import os
import sys
from pathlib import Path

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
ROOT = Path(__file__).parents[1]
IMAGES = ROOT / ".github" / "images"
sys.path.insert(0, str(ROOT))


def people() -> None:
    """Twenty-four people whom no training has seen."""
    from PIL import Image

    from aullm_lite.synth.dataset import HELD_OUT
    from aullm_lite.synth.drawn import contact_sheet, draw_identity

    sheet = contact_sheet([draw_identity(HELD_OUT + n) for n in range(24)], columns=8)
    Image.fromarray(sheet).resize((sheet.shape[1] * 2 // 3, sheet.shape[0] * 2 // 3), Image.LANCZOS).save(
        IMAGES / "people.png", optimize=True
    )


def result() -> None:
    """The report of one example clip, as `analyze --figure` writes it."""
    from aullm_lite import AULLM
    from aullm_lite.demo import example_clips
    from aullm_lite.plots import report_figure

    report_figure(AULLM.from_pretrained("demo").analyze(example_clips()[1].video)).savefig(
        IMAGES / "result.png", dpi=90
    )


def why() -> None:
    """What a decision on the second example rests on, as `explain` draws it."""
    from aullm_lite import AULLM
    from aullm_lite.demo import example_clips
    from aullm_lite.explain.figures import why_figure
    from aullm_lite.explain.grades import sentence, shipped

    model = AULLM.from_pretrained("demo")
    window = model.analyze(example_clips()[1].video).windows[12]
    made = model.explain(window.clip, 12)
    grade = sentence(shipped(model), made.method, made.on)
    figure = why_figure(made, window.clip, face=window.onset_crop, times=window.times, grade=grade, verdict="present")
    figure.savefig(IMAGES / "why.png", dpi=90)


def app() -> None:
    """The app in a headless browser: after a click on its first example, and its studio."""
    import shutil

    from playwright.sync_api import sync_playwright

    import app as page_code

    _, url, _ = page_code.demo.launch(prevent_thread_lock=True, quiet=True, **page_code.LAUNCH)
    with sync_playwright() as browsers:
        browser = browsers.chromium.launch(executable_path=shutil.which("chromium") or None)
        page = browser.new_page(viewport={"width": 1280, "height": 812})  # above the third example, a real face
        page.goto(url)
        page.get_by_role("button", name="Brows").first.click()
        page.locator(".au-words").first.wait_for(timeout=120_000)
        page.wait_for_timeout(1500)  # until it has scrolled to the result
        page.evaluate("window.scrollTo({top: 0, behavior: 'instant'})")
        page.screenshot(path=str(IMAGES / "app.png"))
        page.get_by_role("tab", name="Studio").click()
        page.locator(".au-study").wait_for(timeout=120_000)
        page.set_viewport_size({"width": 1280, "height": 1000})
        page.evaluate("window.scrollTo({top: 0, behavior: 'instant'})")
        page.wait_for_timeout(1500)
        page.screenshot(path=str(IMAGES / "studio.png"))
        browser.close()
    page_code.demo.close()


def tables() -> None:
    """The pictures of the tables on generated clips, from their JSON files."""
    import json

    from aullm_lite.ablate.figure import study_figure
    from aullm_lite.bench.figure import stage_figure
    from aullm_lite.checkpoint import DEMO
    from aullm_lite.explain.figures import grades_figure
    from aullm_lite.protocols.leaks_page import leaks_figure
    from aullm_lite.protocols.page import table_figure

    drawn = {"loso": table_figure, "leaks": leaks_figure, "grade": grades_figure, "ablate": study_figure}
    drawn["bench"] = stage_figure
    for name, draw in drawn.items():
        draw(json.loads((DEMO / f"{name}.json").read_text())).savefig(IMAGES / f"{name}.png", dpi=90)


def course() -> None:
    """The four maps of notebook 08, as its run left them."""
    import base64

    import nbformat

    notebook = nbformat.read(ROOT / "notebooks" / "08_explain.ipynb", as_version=4)
    cell = next(cell for cell in notebook.cells if "picture" in cell.metadata.get("tags", []))
    drawn = next(out.data["image/png"] for out in cell.outputs if "image/png" in out.get("data", {}))
    (IMAGES / "course.png").write_bytes(base64.b64decode(drawn))


def figures() -> None:
    """Every figure in the text, from the JSON files beside the checkpoint and those on faults."""
    import fault_card

    from aullm_lite.card import blocks, fill
    from aullm_lite.checkpoint import DEMO

    page = ROOT / "README.md"
    page.write_text(fill(page.read_text(encoding="utf-8"), blocks(DEMO) | fault_card.blocks()), encoding="utf-8")


if __name__ == "__main__":
    IMAGES.mkdir(parents=True, exist_ok=True)
    parts = {
        "people": people,
        "result": result,
        "why": why,
        "app": app,
        "tables": tables,
        "course": course,
        "figures": figures,
    }
    for name in sys.argv[1:] or parts:
        parts[name]()
        print(f"{name} done")
