"""Why did the model decide so?  Attributions of one AU's logit to pixels, movement, zones, features and words.

Captum does the arithmetic; here stand the path that it follows, what each answer is compared with, and the grading of
every method against the truth of generated clips, because a map that looks right need not be right.
"""

from .attribution import Attribution
from .decision import Decision
from .methods import BEST, MAPS, METHODS, check, explain

__all__ = ["BEST", "MAPS", "METHODS", "Attribution", "Decision", "check", "explain"]
