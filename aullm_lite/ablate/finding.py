"""What follows from the comparisons, in a paragraph that says it whichever way it comes out."""

# Of a row against the reference: what it means that the row is better, worse, or that no difference is shown.
WORDS = {
    "no-llm": (
        "The language model costs accuracy here: the control, an MLP with as many weights as LoRA in its place, is "
        "better than the LoRA-tuned language model",
        "The language model adds something here: the control, an MLP with as many weights as LoRA in its place, is "
        "worse than the LoRA-tuned language model",
        "No difference is shown between the LoRA-tuned language model and the control, an MLP with as many weights as "
        "LoRA in its place, so nothing shows that the language model adds anything here",
    ),
    "no-llm-long": (
        "With four times the steps the control is better than the language model",
        "With four times the steps the language model is better than the control",
        "With four times the steps no difference is shown between the language model and the control",
    ),
    "text": (
        "More of the truth, learnt as words, helps the decisions too",
        "More of the truth, learnt as words, costs the decisions something",
        "No difference is shown where the model also learns to put the truth into words",
    ),
    "random-llm": (
        "Pretraining hurts: the same architecture with random weights is better",
        "Pretraining matters: the same architecture with random weights is worse",
        "No difference is shown between pretrained and random weights, so nothing shows that pretraining on text helps",
    ),
    "frozen-llm": (
        "LoRA hurts: the frozen language model is better",
        "LoRA matters: the frozen language model is worse",
        "No difference is shown between the frozen language model and the LoRA-tuned one",
    ),
    "token-zeroed": (
        "The token misleads: with zeros in its place the answers are better",
        "The answers rest on the token: with zeros in its place they are worse",
        "No difference is shown when the token is zeroed, so nothing shows that the answers rest on it",
    ),
    "token-shuffled": (
        "With the token of another clip the answers are better, which points to a mistake",
        "They follow the clip: with the token of another clip they are worse",
        "No difference is shown with the token of another clip",
    ),
    "prompt-removed": (
        "Without any prompt, which also puts the token first of all, the answers are better",
        "Without any prompt, which also puts the token first of all, the answers are worse",
        "No difference is shown without any prompt",
    ),
    "prompt-changed": (
        "A prompt about something else is better",
        "A prompt about something else is worse",
        "No difference is shown with a prompt about something else, so nothing shows that its meaning counts",
    ),
    "token-first": (
        "A token before the prompt is better than one after it",
        "A token before the prompt is worse than one after it",
        "No difference is shown between a token before the prompt and one after it",
    ),
}
OUTCOMES = ("better", "worse", "no difference shown")


def findings(table: dict) -> str:
    """How far it goes, then a line for each question by name, and one for all other rows that came out alike."""
    found = {c["name"]: c for c in table["comparisons"]}
    sentences = [_sentence(found[name]) for name in WORDS if name in found]
    others = [c for name, c in found.items() if name not in WORDS]
    sentences += [said for outcome in OUTCOMES if (said := _others(others, outcome))]
    if not sentences:
        return "Only the reference has been run, so nothing can be compared yet."
    limit = (
        "What follows holds at this budget, on generated clips, with convolutions and first tokens trained for a "
        "linear head, to which the control is closer than a language model is; it may not hold for longer training:"
    )
    return "\n\n".join([limit, "\n".join(f"- {sentence}" for sentence in sentences)])


def _sentence(comparison: dict) -> str:
    """The answer to one question with its numbers: F1 of the row less that of its reference."""
    words = WORDS[comparison["name"]][OUTCOMES.index(comparison["verdict"])]
    return f"{words} ({_numbers(comparison)})."


def _numbers(comparison: dict) -> str:
    low, high = comparison["interval"]
    return f"`{comparison['name']}`: {comparison['difference']:+.3f} F1, {low:+.3f} to {high:+.3f}"


def _others(comparisons: list[dict], outcome: str) -> str:
    """The rows without a question of their own that came out alike."""
    some = [c for c in comparisons if c["verdict"] == outcome]
    if not some:
        return ""
    start = {
        "better": "Better than the reference:",
        "worse": "Worse than the reference:",
        "no difference shown": "No difference from the reference is shown for",
    }[outcome]
    return f"{start} {'; '.join(map(_numbers, some))}."
