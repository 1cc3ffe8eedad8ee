"""The one error for bad input: its text is one sentence that says what to do."""


class InputError(ValueError):
    """What the user gave cannot be used.  The command line prints it and exits with 2; the app shows it."""
