"""Licensed data sets, which every user brings: their tables, their frames where they lie, and clips for training.

from aullm_lite.datasets import DATA_SETS, load, prepare, to_clips
loaded = load(DATA_SETS["casme2"], annotations="CASME2-coding-20190701.xlsx", root="CASME2")
records = prepare(loaded)
clips = to_clips(records, aus=loaded.spec.aus)
"""

from .casme import CASME
from .casme2 import CASME2
from .casme3 import CASME3
from .clip_records import to_clips
from .fourdme import FOURDME
from .loading import Loaded, load
from .mmew import MMEW
from .policy import Policy
from .preparing import prepare
from .records import Sample
from .samm import SAMM

DATA_SETS = {spec.name: spec for spec in (CASME2, SAMM, FOURDME, CASME, CASME3, MMEW)}

__all__ = ["DATA_SETS", "Loaded", "Policy", "Sample", "load", "prepare", "to_clips"]
