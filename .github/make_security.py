"""Write the floors of the dependencies into SECURITY.md anew: `python .github/make_security.py`."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / ".github" / "SECURITY.md"
MARKS = "<!-- floors -->\n", "<!-- /floors -->"
AVOIDED = {  # a known fault, and the version that mended it, which the floor must not go below
    "torch": ("CVE-2025-32434", "2.6.0"),
    "transformers": ("CVE-2026-4372", "5.3.0"),
    "filelock": ("CVE-2025-68146", "3.20.1"),
    "pyarrow": ("CVE-2023-47248", "14.0.1"),
    "pillow": ("CVE-2024-28219", "10.3.0"),
    "scikit-learn": ("CVE-2024-5206", "1.5.0"),
    "joblib": ("CVE-2022-21797", "1.2.0"),
    "opencv-python-headless": ("CVE-2023-4863", "4.8.1.78"),
    "tqdm": ("CVE-2024-34062", "4.66.3"),
    "gradio": ("CVE-2026-59806", "6.20.0"),
}


def floors() -> dict[str, str]:
    """Every package of pyproject.toml that runs the package or the app, and the lowest version that is allowed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = project["dependencies"] + project["optional-dependencies"]["app"]
    return dict(re.match(r"([\w-]+)>=([\d.]+)", one).groups() for one in needed)


def sentence() -> str:
    """The floors as one list, those that avoid a known fault first."""
    known = [f"{name} {lowest} ({AVOIDED[name][0]})" for name, lowest in floors().items() if name in AVOIDED]
    return ", ".join(known + [f"{name} {lowest}" for name, lowest in floors().items() if name not in AVOIDED]) + ".\n"


def page(text: str) -> str:
    """The page with the floors of today between its marks."""
    before, rest = text.split(MARKS[0])
    return before + MARKS[0] + sentence() + MARKS[1] + rest.split(MARKS[1])[1]


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
