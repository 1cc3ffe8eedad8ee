"""An attribution as HTML for the app: pictures that wrap on a telephone, bars that a screen reader can read."""

from html import escape

from ..facs import ZONES, action_unit
from ..page import picture_address
from ..report import AUFinding
from .attribution import PHASES, Attribution
from .figures import overlay, place, scale_of, unit_of

HEADS = ("Zone", "Against or for", *(phase.capitalize() for phase in PHASES))

CSS = """
.au-why { --au-yes: #f07d00; --au-no: #7048b6; }
.au-why figure, .au-why img { margin: 0; width: 100%; border-radius: 8px; }
.au-why figcaption { font-size: .8rem; color: var(--body-text-color-subdued); padding: .15rem 0 .4rem; }
.au-why-top { display: grid; grid-template-columns: minmax(180px, 260px) 1fr; gap: 1.2rem; align-items: start; }
.au-zones { overflow-x: auto; } .au-zones .au-table { margin-top: 0; }
.au-zones .au-table td { font-variant-numeric: tabular-nums; white-space: nowrap; font-size: .84rem; }
.au-zones .au-table .au-mine th { font-weight: 700; }
.au-two { position: relative; min-width: 90px; height: 11px; background: linear-gradient(var(--au-line) 0 0) center /
  1px 100% no-repeat; }
.au-two b { position: absolute; height: 100%; width: calc(var(--w) / 2); border-radius: 3px; }
.au-two .au-for { left: 50%; background: var(--au-yes); } .au-two .au-against { right: 50%; background: var(--au-no); }
.au-strip { display: grid; grid-template-columns: repeat(6, 1fr); gap: .4rem; margin-top: .6rem; }
.au-key i { display: inline-block; width: .8rem; height: .8rem; border-radius: 3px; margin: 0 .35rem 0 .6rem;
  vertical-align: -1px; }
.au-key .au-for { background: var(--au-yes); } .au-key .au-against { background: var(--au-no); }
@media (max-width: 640px) {
  .au-why-top { grid-template-columns: 1fr; } .au-strip { grid-template-columns: repeat(3, 1fr); }
  .au-zones .au-table, .au-zones tbody { display: block; } .au-zones .au-table td { white-space: normal; }
  .au-zones .au-table tr { grid-template-columns: 1fr 1fr; }
  .au-zones .au-table th, .au-zones .au-table td:nth-of-type(1) { grid-column: 1 / 3; }
  .au-zones .au-table td[data-head]::before { content: attr(data-head) " "; color: var(--body-text-color-subdued); }
}
"""


def why_html(made: Attribution, window, finding: AUFinding, grade: str) -> str:
    """Verdict, sentence, face with the heat map, zones with their muscles, the film strip, the grade of the method."""
    where = f"The aligned face; coloured where something speaks for or against AU{made.au}. {made.text()}"
    said = f"{finding.verdict}, probability {finding.probability:.2f}"
    note = f'<p class="au-note"><strong>How far to trust this:</strong> {escape(grade)}</p>' if grade else ""
    face = (
        f"<figure>{_img(place(made, window.onset_crop), where)}<figcaption>Where, over all frames</figcaption></figure>"
    )
    lead = f'<p class="au-lead">Why AU{made.au}? <small>({said})</small></p>'
    return (
        f'<div class="au-why">{lead}<p>{escape(made.text())}</p>'
        f'<div class="au-why-top">{face}{_zones(made)}</div>{_strip(made, window)}{note}</div>'
    )


def _strip(made: Attribution, window) -> str:
    scale, frames = scale_of(made), []
    for t, (frame, when) in enumerate(zip(window.clip, window.times)):
        mark = " first" if t == 0 else " apex" if t == made.apex else ""
        alt = f"Frame at {when:.2f} s{mark and ',' + mark}"
        frames.append(f"<figure>{_img(overlay(frame, made.map[t], scale), alt)}"
                      f"<figcaption>{when:.2f} s{mark}</figcaption></figure>")  # fmt: skip
    against = '<i class="au-against"></i>against' if made.signed else ""
    key = f'<p class="au-small au-key"><i class="au-for"></i>for {against} ({unit_of(made).split(":")[0]})</p>'
    return f'<div class="au-strip">{"".join(frames)}</div>{key}'


def _zones(made: Attribution) -> str:
    zones = made.zones
    largest = max(abs(sum(values)) for values in zones.values()) or 1.0
    digits = 2 if largest >= 0.1 else 4
    head = "".join(f'<th scope="col">{name}</th>' for name in HEADS)
    rows = "".join(_zone(name, values, largest, digits, made.au) for name, values in zones.items())
    title = f"Each zone of the face and AU{made.au}: {unit_of(made)}"
    return (
        f'<div class="au-zones"><table class="au-table"><caption class="au-hidden">{title}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _zone(name: str, values: tuple[float, ...], largest: float, digits: int, au: int) -> str:
    aus, total = ZONES[name], sum(values)
    pulls = ", ".join(f"AU{n} {action_unit(n).muscle.split(',')[0]}" for n in aus)
    side = "for" if total > 0 else "against"
    width = f"{abs(total) / largest:.1%}"
    heads = zip(HEADS[2:], values)
    cells = "".join(f'<td data-head="{head}">{round(value, digits) + 0:+.{digits}f}</td>' for head, value in heads)
    return (
        f'<tr class="{"au-mine" if au in aus else ""}"><th scope="row">{name}<small>{pulls}</small></th>'
        f'<td><span class="au-hidden">{total:+.{digits}f}, {side}</span>'
        f'<div class="au-two" aria-hidden="true"><b class="au-{side}" style="--w:{width}"></b></div></td>{cells}</tr>'
    )


def _img(picture, alt: str) -> str:
    return f'<img src="{picture_address(picture)}" alt="{escape(alt)}">'
