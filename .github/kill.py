"""kill -9 at any moment, then on to the end: is it what nobody disturbed would have made?

`python .github/kill.py train loso --kills 50 --json FILE`; without names all of them.  A run is killed, what resumes it
at once is killed too, and an hour later, as it seems, a third ends it.  Takes minutes on two cores.
"""

import sys
import tempfile
from pathlib import Path
from time import perf_counter

from works import WORKS, try_all

# isort: split
from killed import torment

HARM = ("lost", "half_written", "left_over", "failed")


def killed(name: str, kills: int, seed: int) -> dict:
    """The figures of one work."""
    start = perf_counter()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        work = WORKS[name](Path(place))
        found = torment(work, Path(place), kills, seed, lambda now: print(f"{name}: {now.kills} kills", flush=True))
    said = {key: getattr(found, key) for key in HARM}
    counts = {key: len(some) for key, some in said.items()}
    words = {key: some[:5] for key, some in said.items() if some}
    return {"what": name, "kills": found.kills, **counts, "seconds": round(perf_counter() - start, 1), "words": words}


if __name__ == "__main__":
    sys.exit(try_all(__doc__, "kills", 50, killed, HARM))
