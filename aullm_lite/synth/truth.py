"""What a table says of a clip: the frames of its onset, apex and offset, and what moves."""

from dataclasses import asdict, replace

import numpy as np

from .drawn import drawn_name
from .identity import Identity
from .script import Script

FPS = 200  # of the licensed data sets
NEUTRAL = 0.1  # seconds of stillness before the onset and after the offset


def filmed(script: Script) -> tuple[Script, int]:
    """The same event at 200 frames a second with stillness around it, and the number of neutral frames before it."""
    start, end = script.times[0] - NEUTRAL, script.times[-1] + NEUTRAL
    times = start + np.arange(round((end - start) * FPS) + 1) / FPS
    return replace(script, times=times), round(NEUTRAL * FPS)


def truth_row(script: Script) -> dict:
    """Onset, apex and offset (frame numbers from 1) of the clip's event, and its movements.

    The apex is the frame with the largest displacement of all AUs together.
    """
    long, before = filmed(script)
    total = sum((m.amount(long.times) for m in long.movements), np.zeros(len(long.times)))
    last = len(long.times) - before
    apex = int(total.argmax()) + 1 if script.movements else (1 + before + last) // 2
    return {"onset": 1 + before, "apex": apex, "offset": last, "movements": [asdict(m) for m in script.movements]}


def truth_rows(people: list[Identity | None], scripts: list[list[Script]], seed: int) -> list[list[dict]]:
    """What the tables say of each person's clips: see `truth_row`."""
    names = [person.subject if person else drawn_name(seed + index) for index, person in enumerate(people)]
    return [
        [truth_row(script) | {"subject": index, "clip": n, "person": name} for n, script in enumerate(some)]
        for index, (name, some) in enumerate(zip(names, scripts))
    ]
