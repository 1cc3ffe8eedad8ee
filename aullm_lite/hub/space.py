"""The app as a Space of the Hub: a folder with app.py, the package, what to install, and the front matter in README.md.

Versions come from requirements.txt of the repository, scores from eval.json of the shipped checkpoint.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path

from huggingface_hub import SpaceCardData

from ..checkpoint import CONFIG, WEIGHTS, read_config
from ..errors import InputError
from .folders import check_shareable
from .model_card import ETHICS, LICENSE, base_model

CHECKOUT = Path(__file__).parents[2]
PARTS = ("app.py", "LICENSE")  # copied as they are
DEMO = "aullm_lite/checkpoints/demo"
NEEDED = (*PARTS, "requirements.txt", "aullm_lite/__init__.py", f"{DEMO}/model.safetensors", f"{DEMO}/eval.json")
PYTHON, ZERO_TORCH = "3.12", "2.11"  # of Spaces; the newest torch that ZeroGPU had in August 2026
FIGURES = ("eval", "spoken", "grade", "ablate", "loso", "leaks", "losses", "bench")  # that lie beside the weights
SHIPPED = (CONFIG, WEIGHTS, *(f"{name}.json" for name in FIGURES))


def build_space(source: str | Path, out: Path, repo: str) -> None:
    """Write a Space to a folder, from a copy of the repository.  Raises `InputError` where that is not whole."""
    source = Path(source)
    absent = [name for name in NEEDED if not (source / name).is_file()]
    if absent:
        raise InputError(f"{source} is no copy of this repository, for it lacks {absent[0]}: name one by --from.")
    config = read_config(source / DEMO)
    check_shareable(config)
    text = (source / "requirements.txt").read_text(encoding="utf-8")
    for path in (*(source / name for name in PARTS), *package_files(source)):
        target = out / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    (out / "requirements.txt").write_text(requirements(text), encoding="utf-8")
    standard = json.loads((source / DEMO / "eval.json").read_text(encoding="utf-8"))["tiers"]["standard"]
    gradio = pinned(text, "gradio")
    front = front_matter(gradio, base_model(config)).to_yaml()
    (out / "README.md").write_text(f"---\n{front}\n---\n\n{page(repo, gradio, standard)}", encoding="utf-8")


def package_files(source: Path) -> list[Path]:
    """All code of the package, and of checkpoints `demo` alone: others may have been trained on licensed data.

    Where git keeps the copy, what it does not track stays at home.
    """
    code = [path for path in (source / "aullm_lite").rglob("*.py") if "/." not in path.relative_to(source).as_posix()]
    files = code + [source / DEMO / name for name in SHIPPED if (source / DEMO / name).is_file()]
    if (source / ".git").exists():
        listed = subprocess.run(["git", "ls-files", "-z", "aullm_lite"], cwd=source, capture_output=True, check=True)
        tracked = {source / name for name in listed.stdout.decode().split("\0")}
        files = [path for path in files if path in tracked]
    return sorted(files)


def requirements(text: str) -> str:
    """What a Space installs: the tested pins but Gradio, which the front matter asks for."""
    pins = [line for line in map(str.strip, text.splitlines()) if line and not line.startswith("#")]
    return "\n".join(pin for pin in pins if not pin.startswith("gradio==")) + "\n"


def pinned(text: str, package: str) -> str:
    """The version to which a package is pinned."""
    match = re.search(rf"^{package}==(\S+)", text, re.MULTILINE)
    if not match:
        raise InputError(f"requirements.txt does not pin {package}: a Space needs the version that was tested.")
    return match[1]


def page(repo: str, gradio: str, standard: dict) -> str:
    """README.md below the front matter: what visitors of the files read."""
    f1, floor = standard["mean"]["f1"], standard["floors"]["all_positive"]["f1"]
    return f"""# {repo.split("/")[-1]}

Shows which facial movements (Action Units) happen in a short clip, when, and how sure it is. Uploads are sent to
the server of the Space, used for nothing else, and deleted within two hours. The first start fetches model files
of some 100 MB.

On generated clips of unseen drawn people (`standard`) the model has a positive-class F1 of {f1:.3f}; what calls
everything present has {floor:.3f}. No filmed person's Action Units have been scored.

It needs no GPU. On ZeroGPU the app takes one for the seconds of each answer; its torch ends at {ZERO_TORCH}, so write
`torch=={ZERO_TORCH}.0` into `requirements.txt` there.

To run it elsewhere: `pip install -r requirements.txt gradio=={gradio} && python app.py`.

{ETHICS}
"""


def front_matter(gradio: str, base: str | None) -> SpaceCardData:
    """How the Hub runs the Space.  Nothing is preloaded from the Hub: the weights lie in the folder."""
    return SpaceCardData(
        title="AU-LLM Lite",
        sdk="gradio",
        sdk_version=gradio,
        python_version=PYTHON,
        app_file="app.py",
        license=LICENSE,
        models=[base] if base else None,
        tags=["facial-action-units", "micro-expression", "explainability"],
        emoji="🙂",
        colorFrom="green",
        colorTo="blue",
        short_description="Which facial Action Units moved, when, and why",
    )
