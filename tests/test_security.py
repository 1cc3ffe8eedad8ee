"""The page on security says what is so: floors, limits, files, and that no pickle is loaded."""

import re

import pytest
from packaging.requirements import Requirement
from packaging.version import Version
from scripts import ROOT, script

from aullm_lite import limits

PAGE = (ROOT / ".github" / "SECURITY.md").read_text(encoding="utf-8")
CODE = [*ROOT.glob("aullm_lite/**/*.py"), *ROOT.glob("*.py"), *ROOT.glob(".github/**/*.py")]
LOADERS = r"(torch|np|numpy|joblib)\.load|(pickle|dill|marshal)\.loads?|read_pickle|shelve\.open|yaml\.load"
OPTIONS = "allow_pickle=True|trust_remote_code=True|weights_only=False"
RUNS_WHAT_IT_READS = re.compile(rf"(?<![.\w])({LOADERS}|eval|exec)\(|{OPTIONS}")


MAKER = script("make_security")


def test_the_floors_on_the_page_are_those_of_the_project():
    assert MAKER.page(PAGE) == PAGE, "run .github/make_security.py"
    assert len(MAKER.floors()) > 20


def test_no_floor_goes_below_what_mended_a_fault():
    for name, (_, mended) in MAKER.AVOIDED.items():
        assert Version(MAKER.floors()[name]) >= Version(mended), name


def test_the_tested_versions_are_not_below_the_floors():
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if "==" in line and not line.startswith("#"))
    assert pins
    for name in pins.keys() & MAKER.floors().keys():
        assert Requirement(f"{name}>={MAKER.floors()[name]}").specifier.contains(pins[name]), name


def test_every_test_that_is_named_is_there():
    named = set(re.findall(r"`(tests/\w+\.py|\.github/[\w.]+)[^`]*`", PAGE.replace("`python ", "`")))
    assert len(named) > 8
    for name in named:
        assert (ROOT / name).is_file(), name


@pytest.mark.parametrize("what", [
    f"{limits.MOST_PIXELS / 1e6:.0f} million pixels", f"{limits.MOST_UNPACKED / 1e6:.0f} MB of XML",
])  # fmt: skip
def test_limits_on_the_page_are_those_of_the_code(what):
    assert what in PAGE


def test_limits_of_the_app_are_those_of_the_code():
    import app
    from aullm_lite.pages.detect import LONGEST
    from aullm_lite.pages.events import KEPT, MOST_WAITING

    assert f"at most {LONGEST} seconds of {app.LAUNCH['max_file_size'].replace('mb', ' MB')}" in PAGE
    assert f"at most {MOST_WAITING} events wait" in PAGE and KEPT == 3600 and "after two hours" in PAGE
    assert not {"share", "server_name", "allowed_paths", "auth"} & app.LAUNCH.keys()


def test_nothing_runs_what_it_reads():
    assert len(CODE) > 100
    for path in CODE:
        assert not RUNS_WHAT_IT_READS.search(path.read_text(encoding="utf-8")), path


@pytest.mark.parametrize(
    "line", ["x = torch.load(y)", "pickle.loads(x)", "np.load(x, allow_pickle=True)", "exec(text)"]
)
def test_what_runs_would_be_found(line):
    assert RUNS_WHAT_IT_READS.search(line) and not RUNS_WHAT_IT_READS.search("model.eval() yaml.safe_load(x)")
