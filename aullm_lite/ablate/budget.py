"""How much a study may cost: how many people, clips and steps each row gets, the same for all rows."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Budget:
    """`small` ends within two hours on two quiet cores, all rows of three seeds included; `full` is for a GPU."""

    name: str
    people: int  # drawn, a tenth of them inner: they choose thresholds and calibration
    clips: int  # of each
    eye_epochs: int  # the convolutions, with a throw-away projector and a linear head
    token_steps: int  # the projector, with a linear head
    steps: int  # everything behind the convolutions, language model included
    batch: int = 64
    eye_batch: int = 16
    lr: float = 2e-3  # peak, of the eye and of the projector while it warms up
    lr_token: float = 1e-3  # of the projector and the head once the language model joins in
    lr_lora: float = 2e-3  # of LoRA, or of the control's hidden layer
    test_people: int = 40  # drawn, unseen, tier `standard`
    test_clips: int = 20  # of each
    photo_clips: int = 100  # of each photograph


BUDGETS = {
    "small": Budget("small", people=140, clips=20, eye_epochs=3, token_steps=150, steps=30),
    "full": Budget(
        "full",
        people=900,
        clips=20,
        eye_epochs=8,
        token_steps=1500,
        steps=400,
        batch=128,
        test_clips=50,
        photo_clips=500,
    ),
}
