"""The data cards are valid cards, say what a card must say, and agree with the code of SynthME."""

import re
from pathlib import Path

import pytest
from huggingface_hub import DatasetCard

from aullm_lite.facs import ACTION_UNITS, CD6ME_AUS
from aullm_lite.synth import dataset, export, script, truth

FOLDER = Path(__file__).parents[1] / "data_cards"
CARDS = sorted(path.name for path in FOLDER.glob("*.md") if path.name != "README.md")
LICENSED = [name for name in CARDS if name != "synthme.md"]
PAGES = [*CARDS, "README.md"]

SECTIONS = (
    "What it holds",
    "Who may have it",
    "Layout on disk",
    "Annotations and counts",
    "Action Units of the benchmark",
    "Known faults and what the reader does",
    "Ethics and limits",
    "Use with this package",
    "Reference",
)
HOSTS = {"doi.org", "arxiv.org"}  # papers; never a place to download from
PICTURES = re.compile(r"!\[|<img|\.(?:mp4|gif)\b|data:image", re.I)
# A verb of knowing and an inner state in one sentence, unless the sentence denies it.
INFERENCE = re.compile(
    r"\b(?:detect|recogni[sz]|predict|infer|reveal|classif|measur|read)\w*\b[^.|\n]*"
    r"\b(?:emotion|feeling|mood|intent|lie|deception|truthful)\w*"
    r"|\b(?:genuine|true|hidden|concealed) (?:emotion|feeling)",
    re.I,
)
DENIAL = re.compile(r"\b(?:not|no|never|none|nothing|nobody|cannot|prohibited)\b", re.I)


def text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def prose(name: str) -> str:
    """The text on one line a paragraph or list, so that sentences are whole."""
    return re.sub(r"(?<!\n)\n(?![\n|#-])", " ", text(name))


def sentences(words: str) -> list[str]:
    return re.split(r"(?<=[.:;])\s|\n", words)


def infers(sentence: str) -> bool:
    return bool(INFERENCE.search(sentence)) and not DENIAL.search(sentence)


def count_rows(name: str) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the table of positives per AU."""
    lines = [line for line in text(name).splitlines() if line.startswith("|")]
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    start = next(n for n, row in enumerate(table) if row[:2] == ["table", "n"])
    rows = [row for row in table[start + 2 :] if len(row) == len(table[start])]
    return table[start], rows


def test_there_is_a_card_for_every_data_set():
    assert set(CARDS) == {f"{name}.md" for name in ("synthme", "casme2", "samm", "4dme", "casme", "casme3", "mmew")}


@pytest.mark.parametrize("name", CARDS)
def test_cards_parse_and_say_what_they_are(name):
    card = DatasetCard.load(FOLDER / name)
    data = card.data.to_dict()
    assert data["pretty_name"] and data["tags"] and data["task_categories"] == ["video-classification"]
    assert set(data["size_categories"]) <= {"n<1K", "1K<n<10K", "10K<n<100K"}
    assert f"# {data['pretty_name']}\n" in card.text and "emotion" not in " ".join(data["tags"])
    if name in LICENSED:
        assert data["license"] == "other" and data["license_name"] == "signed-agreement-with-the-owners"
        assert "license_link" not in data
    else:
        assert data["license"] == "apache-2.0"


@pytest.mark.parametrize("name", LICENSED)
def test_licensed_cards_have_every_section_and_hold_no_data(name):
    headings = re.findall(r"^## (.+)$", text(name), re.M)
    assert tuple(headings) == SECTIONS
    assert f"python -m aullm_lite inspect {name.removesuffix('.md')} --annotations " in text(name)
    assert "It contains none of the data." in prose(name)
    people = re.findall(r"\b(?:sub|spno\.|s)(\d{2,3})(?=[/_-])|\bSAMM/(\d{3})/", text(name), re.I)
    assert all(int("".join(number)) in (90, 900) for number in people), "examples show invented people only"


@pytest.mark.parametrize("name", LICENSED)
def test_counts_are_of_the_twelve_and_possible(name):
    header, rows = count_rows(name)
    assert header == ["table", "n", *map(str, CD6ME_AUS), "all"] and rows
    for row in rows:
        n, *positives, every = map(int, row[1:])
        assert max(positives) <= n and sum(positives) <= every


@pytest.mark.parametrize("name", LICENSED)
def test_benchmark_action_units_exist(name):
    line = re.search(r"^AUs: ([\d, ]+)", text(name), re.M)[1]
    numbers = [int(number) for number in line.split(",")]
    assert numbers == sorted(set(numbers)) and set(numbers) <= set(ACTION_UNITS)


@pytest.mark.parametrize("name", PAGES)
def test_pages_link_to_papers_only_and_show_nothing(name):
    assert set(re.findall(r"https?://([^/\s>)]+)", text(name))) <= HOSTS
    assert not PICTURES.search(text(name))
    assert max(map(len, text(name).splitlines())) <= 120


@pytest.mark.parametrize("name", PAGES)
def test_pages_claim_no_emotion(name):
    assert [sentence for sentence in sentences(prose(name)) if infers(sentence)] == []


def test_a_claim_of_emotion_would_be_seen():
    claims = "It detects emotions.", "Recognising what a person's feelings are is easy.", "It shows true feelings."
    assert all(map(infers, claims))
    assert not infers("It does not detect emotions.")


def test_index_lists_every_card_by_its_name():
    for name in CARDS:
        row = next(line for line in text("README.md").splitlines() if line.startswith(f"| [{name}]({name}) |"))
        assert DatasetCard.load(FOLDER / name).data.pretty_name in row


def test_synthme_card_agrees_with_the_code():
    page = prose("synthme.md")
    for tier, (low, high) in script.PEAKS.items():
        assert f"| `{tier}` | {low:g} to {high:g} |" in page
    assert len(re.findall(r"^\| `\w+` \| [\d.]+ to [\d.]+ \|", page, re.M)) == len(script.PEAKS)
    pairs = dict(re.findall(r"AU(\d+\+\d+) \| ([\d.]+)", page))
    assert pairs == {f"{a}+{b}": f"{factor:g}" for (a, b), factor in script.LIFTS.items()}
    for fact in (
        f"Seeds below {dataset.HELD_OUT:,} (`HELD_OUT`)",
        f"starts at {dataset.HELD_OUT:,} + {dataset.SEEDS_APART:,} x N",
        f"--seed {dataset.HELD_OUT}`",
        ", ".join(map(str, CD6ME_AUS)),
        f"{truth.FPS} frames a second, with {truth.NEUTRAL:g} s of stillness",
        f"{export.FRAME_SIZE} x {export.FRAME_SIZE} pixels",
        f"{export.FRAME_EXTENT:g} times its width",
    ):
        assert fact in page
