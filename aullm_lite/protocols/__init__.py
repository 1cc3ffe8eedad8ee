"""Protocols: who is trained on, who is tested, and how the answers of all folds become one table."""

from .experiment import Experiment, cd6me, cross, loso
from .splits import LeakError, SubjectSplit

__all__ = ["Experiment", "LeakError", "SubjectSplit", "cd6me", "cross", "loso"]
