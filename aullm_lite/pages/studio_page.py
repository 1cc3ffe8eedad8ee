"""The studio as HTML: the clip that plays, the truth beside the model's answer, the game, and the true skin."""

from html import escape

import cv2
import numpy as np
from matplotlib.colors import to_rgb

from ..explain.attribution import Attribution
from ..explain.figures import SHOWN_PX, place
from ..explain.grading import Truth, energy_in_mask
from ..facs import action_unit
from ..page import chip_html, picture_address, score_html
from ..report import AUFinding
from ..style import PRESENT
from ..synth.script import PEAKS, Movement
from .film import film_html, filmed, loop_seconds
from .studio import SIDES, STRENGTHS, STRONGEST, Answer

SHOWN, FILM_PX = 160, 240  # pixels that are drawn, and pixels of the page
LEARNED_PX = min(low for low, _ in PEAKS.values())  # the weakest peak in training
COLUMNS = ("Action Unit", "Probability", "The model says", "You moved it by", "Result")
OUTCOMES = {  # of (moved, verdict): a mark and a word
    (True, "present"): ("✓", "found"),
    (True, "not sure"): ("?", "not sure"),
    (True, "absent"): ("✗", "missed"),
    (False, "present"): ("✗", "false alarm"),
    (False, "not sure"): ("?", "not sure"),
}
NO_RECORD = """<p class="au-small">No record yet. Move one Action Unit alone and make it weaker and weaker: how weak can
it be before the model no longer says "present"?</p>"""

CSS = """
.au-study td { white-space: nowrap; font-size: .88rem; }
.au-pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(200px, 256px)); gap: 1rem; }
.au-pair figure { margin: 0; } .au-pair img { width: 100%; border-radius: 8px; display: block; }
.au-pair figcaption { font-size: .82rem; color: var(--body-text-color-subdued); padding: .2rem 0 .4rem; }
@media (max-width: 640px) {
  .au-study td { white-space: normal; }
  .au-study td[data-head]::before { content: attr(data-head) ": "; color: var(--body-text-color-subdued); }
}
"""


def scene_html(given: Answer, who: str) -> str:
    """The clip, larger and slower than the model sees it, with a text for those who cannot see it."""
    frames = filmed(given.actor, given.script, given.seconds, SHOWN)
    return film_html(frames, loop_seconds(given.seconds), f"{who}: {told(given)}", FILM_PX)


def told(given: Answer) -> str:
    """What moves, in words."""
    moves = [f"{action_unit(au)} moves by {strength(m)}" for au, m in given.moved.items()]
    return "; ".join(moves) + "." if moves else "nothing moves."


def strength(movement: Movement) -> str:
    """ "1.50 px, left" """
    return f"{movement.peak:.2f} px, {SIDES[movement.side]}"


def answer_html(given: Answer) -> str:
    """A headline, and one row for each AU, what moved and what was seen first: what the model says beside the truth."""
    head = "".join(f'<th scope="col">{name}</th>' for name in COLUMNS)
    dull_last = sorted(given.findings.values(), key=lambda f: f.au not in given.moved and f.verdict == "absent")
    rows = "".join(_row(f, given.moved.get(f.au)) for f in dull_last)
    return (
        f'<p class="au-lead" role="status">{escape(headline(given))}</p><table class="au-table au-study">'
        f'<caption class="au-hidden">What the model says of each AU, and what really moved</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    )


def headline(given: Answer) -> str:
    """How many of the movements the model has found, and what it has taken for one."""
    verdicts = {au: finding.verdict for au, finding in given.findings.items()}
    found = [au for au in given.moved if verdicts.get(au) == "present"]
    alarms = [f"AU{au}" for au, verdict in verdicts.items() if verdict == "present" and au not in given.moved]
    count = len(given.moved)
    said = f"The model found {len(found)} of {count} movement{'s' * (count != 1)}." if count else "Nothing moves."
    return f"{said} False alarm: {', '.join(alarms)}." if alarms else said


def _row(f: AUFinding, movement: Movement | None) -> str:
    mark, word = OUTCOMES.get((movement is not None, f.verdict), ("", ""))
    true = strength(movement) if movement else "–"
    together = f'<span aria-hidden="true">{mark} </span>{word}' if word else ""
    return (
        f'<tr class="au-{f.verdict.replace(" ", "")}"><th scope="row">{f.label}</th><td>{score_html(f)}</td>'
        f'<td>{chip_html(f)}</td><td data-head="{COLUMNS[3]}">{true}</td><td>{together}</td></tr>'
    )


def record_html(best: Movement | None) -> str:
    """The game: the weakest movement that the model has still seen."""
    if best is None:
        return NO_RECORD
    return (
        f'<p role="status"><strong>Your record: {best.peak:.2f} px</strong> ({action_unit(best.au)}, '
        f"{SIDES[best.side]}). The model still saw it.{_unlearned(best.peak)}</p>"
    )


def _unlearned(peak: float) -> str:
    return f" Training has seen nothing under {LEARNED_PX} px." if peak < LEARNED_PX else ""


def limit_html(au: int, side: str, peak: float | None) -> str:
    """What a search over strengths has found."""
    name = f"{action_unit(au)} ({SIDES[side]})"
    if peak is None:
        return f'<p role="status">On this face the model does not see {name} at all, up to {STRONGEST:g} px.</p>'
    return (
        f'<p role="status">On this face, with this duration, the weakest {name} that the model still sees is '
        f"<strong>{peak:.2f} px</strong>, of {len(STRENGTHS)} strengths from {STRENGTHS[0]:g} to {STRONGEST:g} px that "
        f"were tried. Here the head is still, so it is easier than in real clips.{_unlearned(peak)}</p>"
    )


def reason_html(given: Answer, made: Attribution, grade: str) -> str:
    """The attribution beside the skin that really moved, and how far the two agree."""
    truth, finding = given.truth(made.au), given.findings[made.au]
    why = f"The face; coloured where something speaks for or against AU{made.au}."
    pictures = _figure(place(made, given.clip[0]), why, "What the decision rests on (orange: for, violet: against)")
    if truth is not None:
        skin = f"The same face; green where AU{made.au} really moved the skin."
        pictures += _figure(marked(given.clip[0], truth.mask), skin, "Where the skin really moved (green)")
    said = f"{finding.verdict}, probability {finding.probability:.2f}"
    note = f'<p class="au-note"><strong>How far to trust this:</strong> {escape(grade)}</p>' if grade else ""
    return (
        f'<div class="au-why"><p class="au-lead">Why AU{made.au}? <small>({said})</small></p>'
        f'<div class="au-pair">{pictures}</div><p>{escape(f"{agreement(made, truth)} {made.text()}")}</p>{note}</div>'
    )


def agreement(made: Attribution, truth: Truth | None) -> str:
    """How much of the map lies where it should, against chance."""
    if truth is None:
        return f"You did not move AU{made.au}, so there is no true place."
    share, chance = energy_in_mask(made.map, truth.mask), truth.mask.mean()
    return (
        f"Of what speaks for AU{made.au}, {share:.0%} lies in the skin that moved by a quarter of the peak or more; "
        f"a map that knows nothing would have {chance:.0%} there."
    )


def marked(face: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A grey face with a mask in green.  [H, W], bool [H, W] -> uint8 [P, P, 3]"""
    wide, soft = (cv2.resize(part.astype(np.float32), (SHOWN_PX, SHOWN_PX))[..., None] for part in (face, mask))
    return (np.clip(wide * (1 - 0.55 * soft) + 0.55 * soft * to_rgb(PRESENT), 0, 1) * 255 + 0.5).astype(np.uint8)


def _figure(picture: np.ndarray, alt: str, caption: str) -> str:
    return (
        f'<figure><img src="{picture_address(picture)}" alt="{escape(alt)}"><figcaption>{caption}</figcaption></figure>'
    )
