"""Folds that learn at once: each learns what it would have learnt alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from protocol_data import filmed

from aullm_lite.config import AULLMConfig
from aullm_lite.errors import InputError
from aullm_lite.model import AULLM
from aullm_lite.protocols import loso, networks
from aullm_lite.protocols.networks import Network, logits
from aullm_lite.protocols.together import LanguageOfFolds, fit_together, twin
from aullm_lite.recipe import TrainConfig
from aullm_lite.train import Trainer

SHORT = TrainConfig(warmup=1, epochs=2, batch_size=16)


def calm(**changes) -> AULLM:
    """A model without chance in its training: nothing drops out."""
    torch.manual_seed(3)
    config = AULLMConfig.from_preset("smoke", drop_rate=0.0, lora_dropout=0.0, **changes)
    model = AULLM(config)
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.2)  # it starts from zero, where nobody could tell the folds apart
    return model


@pytest.fixture(scope="module")
def people(clips):
    return filmed(clips)


def test_each_row_has_its_own_lora():
    languages = [calm().language for _ in range(3)]
    for n, language in enumerate(languages):
        for name, weight in language.named_parameters():
            weight.data *= 1 + 0.3 * n * ("lora_B" in name)
    tokens = [torch.randn(size, 1, 64) for size in (5, 7, 5)]
    together = LanguageOfFolds(languages)(tokens, range(3))
    for language, token, state in zip(languages, tokens, together):
        alone = language(token)
        assert torch.allclose(alone, state, atol=1e-5)
        ours, theirs = (
            torch.autograd.grad(
                some.square().sum(), [w for w in language.parameters() if w.requires_grad], retain_graph=True
            )
            for some in (alone, state)
        )
        assert all(torch.allclose(a, b, rtol=1e-3, atol=1e-4) for a, b in zip(ours, theirs))
    assert not torch.allclose(languages[0](tokens[0]), languages[2](tokens[0]), atol=1e-2)


def test_twins_share_what_is_frozen_and_nothing_else():
    model = calm()
    other = twin(model)
    pairs = list(zip(model.named_parameters(), other.parameters()))
    assert any(weight.requires_grad for (_, weight), _ in pairs)
    for (name, weight), copied in pairs:
        assert (weight.data_ptr() == copied.data_ptr()) == (not weight.requires_grad), name


def test_folds_learn_the_same_together(people):
    folds = [people.select(people.subjects != person) for person in np.unique(people.subjects)[:2]]
    folds.append(folds[0].select(np.arange(len(folds[0])) % 3 > 0))  # fewer clips, so fewer batches
    alone, together = ([Trainer(calm(aus=people.aus), data, SHORT, bars=False) for data in folds] for _ in range(2))
    assert len({len(trainer.train_set) // SHORT.batch_size for trainer in alone}) > 1
    for one, other in zip([trainer.fit() for trainer in alone], fit_together(together)):
        for (name, mine), theirs in zip(one.trained_state().items(), other.trained_state().values()):
            assert torch.allclose(mine.float(), theirs.float(), rtol=1e-2, atol=2e-3), name
        assert np.allclose(logits(one, folds[0]), logits(other, folds[0]), atol=2e-2)


def test_a_protocol_learns_its_folds_in_groups(people, tmp_path, monkeypatch):
    monkeypatch.setitem(networks.FROM_NOTHING, "llm", replace(SHORT, warmup=0, epochs=1))
    groups = []
    fit = Network.together
    monkeypatch.setattr(
        Network, "together", lambda net, parts, seed: groups.append(len(parts)) or fit(net, parts, seed)
    )
    run = lambda **how: loso(people).run(  # noqa: E731
        tmp_path, ["aullm"], ["scratch"], **{"preset": "smoke", "together": 2, **how}
    )
    table = run()["table"]
    assert groups and set(groups) == {2} and "aullm-scratch" in table["rows"]
    fold = sorted((tmp_path / "folds" / "aullm-scratch").glob("*.parquet"))[0]
    kept = {path: path.stat().st_mtime_ns for path in fold.parent.glob("*.parquet") if path != fold}
    fold.unlink()
    run(go_on=True)
    assert fold.exists() and kept == {path: path.stat().st_mtime_ns for path in kept}  # what is there is not run again
    fold.unlink()
    with pytest.raises(InputError, match="another --together"):
        run(together=1, go_on=True)
