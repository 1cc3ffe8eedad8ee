"""Licensed data sets, which every user brings: their tables, and their frames where they lie.

from aullm_lite.datasets import DATA_SETS, load
loaded = load(DATA_SETS["casme2"], annotations="CASME2-coding-20190701.xlsx", root="CASME2")
"""

from .casme import CASME
from .casme2 import CASME2
from .casme3 import CASME3
from .fourdme import FOURDME
from .loading import Loaded, load
from .mmew import MMEW
from .policy import Policy
from .records import Sample
from .samm import SAMM

DATA_SETS = {spec.name: spec for spec in (CASME2, SAMM, FOURDME, CASME, CASME3, MMEW)}

__all__ = ["DATA_SETS", "Loaded", "Policy", "Sample", "load"]
