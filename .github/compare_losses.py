"""Which loss?  The same people, seed and budget under each: `python .github/compare_losses.py` (a quarter of an hour).

Writes losses.json beside the shipped checkpoint.  All figures are of inner subjects, people that the weights have not
seen.  Thresholds are tuned on these very people, for each loss alike, because the asymmetric one shifts probabilities;
average precision, which decides, needs none.
"""

import os
import tempfile
from dataclasses import asdict

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that spin while they wait slow a busy machine tenfold

import numpy as np

from aullm_lite import metrics
from aullm_lite.checkpoint import DEMO
from aullm_lite.config import AULLMConfig
from aullm_lite.evaluate import write_json
from aullm_lite.losses import LOSSES
from aullm_lite.model import AULLM
from aullm_lite.recipe import TrainConfig
from aullm_lite.synth.dataset import make_clips, training_recipe
from aullm_lite.train import Trainer

SUBJECTS, CLIPS = 240, 25
BUDGET = TrainConfig(warmup=2, epochs=2, inner_share=0.25, seed=1)


def inner_scores(data, loss: str) -> dict:
    """Train with a loss; mean average precision and F1 on the inner subjects."""
    settings = TrainConfig(**asdict(BUDGET) | {"loss": loss})
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(AULLM(AULLMConfig.from_preset("lite")), data, settings, folder)
        config = trainer.run().config
        logits = trainer.inner_logits()
    scale, bias = np.array(config.calibration).T
    table = metrics.score_table(
        data.aus, trainer.inner_labels, 1 / (1 + np.exp(-(logits * scale + bias))), config.thresholds
    )
    return {"ap": table["mean"]["ap"], "f1": table["mean"]["f1"], "n_clips": table["n_clips"]}


if __name__ == "__main__":
    clips = make_clips(SUBJECTS, CLIPS, training_recipe, seed=BUDGET.seed, progress=True)
    scores = {loss: inner_scores(clips, loss) for loss in LOSSES}
    facts = {"subjects": SUBJECTS, "clips_a_subject": CLIPS, "budget": asdict(BUDGET)}
    write_json(DEMO / "losses.json", facts | scores)
    print(scores)
