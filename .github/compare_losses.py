"""Which loss?  The same people, first weights and budget under each: `python .github/compare_losses.py`.

Takes minutes on a GPU and some two hours on two cores.  Writes losses.json beside the shipped checkpoint.  All figures
are of inner subjects, people that the weights have not seen.  Thresholds are tuned on these very people, for each loss
alike, because the asymmetric one shifts probabilities; average precision, which decides, needs none.
"""

from dataclasses import asdict, replace

import numpy as np
import torch

from aullm_lite import metrics
from aullm_lite.checkpoint import DEMO
from aullm_lite.config import AULLMConfig
from aullm_lite.evaluate import write_json
from aullm_lite.losses import LOSSES
from aullm_lite.model import AULLM
from aullm_lite.recipe import TrainConfig
from aullm_lite.synth.dataset import make_clips, training_recipe
from aullm_lite.train import Trainer

SUBJECTS, CLIPS, SEEDS = 400, 25, (1, 2)
BUDGET = TrainConfig(inner_share=0.25)


def inner_scores(data, loss: str, seed: int) -> dict:
    """Train with a loss; mean average precision and F1 on the inner subjects."""
    torch.manual_seed(seed)  # both losses begin with the same weights
    trainer = Trainer(AULLM(AULLMConfig()), data, replace(BUDGET, loss=loss, seed=seed))
    config = trainer.fit().config
    logits = trainer.inner_logits()
    scale, bias = np.array(config.calibration).T
    probabilities = 1 / (1 + np.exp(-(logits * scale + bias)))
    return metrics.score_table(data.aus, trainer.inner_labels, probabilities, config.thresholds)["mean"]


def main() -> None:
    rows = {loss: [] for loss in LOSSES}
    for seed in SEEDS:
        data = make_clips(SUBJECTS, CLIPS, training_recipe, seed=seed * 10_000)
        for loss in LOSSES:
            rows[loss].append(inner_scores(data, loss, seed))
            print(seed, loss, rows[loss][-1], flush=True)
    facts = {"subjects": SUBJECTS, "clips_a_subject": CLIPS, "seeds": len(SEEDS), "budget": asdict(BUDGET)}
    for loss, scores in rows.items():
        facts[loss] = {name: [round(s[name], 5) for s in scores] for name in ("ap", "f1")}
    write_json(DEMO / "losses.json", facts)


if __name__ == "__main__":
    main()
