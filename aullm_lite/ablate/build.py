"""From a row to its model: an `AULLM` with the row's parts in their places."""

import torch
from torch import nn

from ..backbone import Backbone3D
from ..config import AULLMConfig
from ..model import AULLM
from .parts import ControlReader, TokenAlone, TokenFirst, forget, projector
from .rows import REFERENCE, Row


def build(row: Row, llm: str, seed: int, motion: nn.Module) -> AULLM:
    """The row's untrained model.  What two rows have in common starts alike, whatever else they have."""
    lora = {"lora_rank": row.rank, "lora_alpha": 2 * row.rank}
    config = AULLMConfig(language_model=llm, prompt=row.prompt or REFERENCE.prompt, **lora)
    torch.manual_seed(seed)
    model = AULLM(config)
    language = model.language
    options = {"drop_rate": config.drop_rate, "token_std": language.token_std}
    torch.manual_seed(seed)
    model.motion, model.backbone = motion, Backbone3D(motion.channels, drop_rate=config.drop_rate)
    model.projector = projector(row.fusion, language.width, **options)
    model.language = reader(row, language, seed)
    return model


def reader(row: Row, language: nn.Module, seed: int) -> nn.Module:
    """What stands behind the token in this row."""
    torch.manual_seed(seed)
    if row.reader == "control":
        return ControlReader(language.width, lora_weights(language))
    if row.reader == "random":
        forget(language)
    if row.reader == "frozen":
        language.requires_grad_(False)
    if row.token_first:
        return TokenFirst(language)
    return language if row.prompt else TokenAlone(language)


def lora_weights(language: nn.Module) -> int:
    """How many weights LoRA adds."""
    return sum(weight.numel() for name, weight in language.named_parameters() if "lora_" in name)


def trainable(model: AULLM) -> int:
    """How many weights of a model learn in some stage."""
    return sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
