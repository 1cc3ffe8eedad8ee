"""The language model speaks: what it learns to say, what it can be asked, and what keeps it honest."""

from .questions import Refused
from .spoken import Spoken, describe, describe_all, describe_report

__all__ = ["Refused", "Spoken", "describe", "describe_all", "describe_report"]
