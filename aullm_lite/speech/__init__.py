"""The language model speaks: what it learns to say, what it can be asked, and what keeps it honest."""
