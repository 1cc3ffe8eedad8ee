"""AU-LLM: motion -> 3D-CNN -> one visual token -> LoRA-tuned language model -> one logit per Action Unit."""

import os
from pathlib import Path

import torch
from huggingface_hub import snapshot_download
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from .backbone import Backbone3D
from .config import AULLMConfig
from .errors import InputError
from .language import LanguageModel
from .motion import build_motion
from .projector import FusionProjector

WEIGHTS, CONFIG = "model.safetensors", "config.json"
BUNDLED = Path(__file__).parent / "checkpoints"


class AULLM(nn.Module):
    """The whole detector.  clips [B, T, H, W] in 0..1 -> logits [B, K], in the order of `config.aus`"""

    def __init__(self, config: AULLMConfig | None = None):
        super().__init__()
        config = config or AULLMConfig()
        self.motion = build_motion(config)
        self.backbone = Backbone3D(self.motion.channels, drop_rate=config.drop_rate)
        self.language = LanguageModel(
            config.language_model, config.prompt, rank=config.lora_rank, alpha=config.lora_alpha, dropout=config.lora_dropout)
        self.projector = FusionProjector(
            self.language.width, kind=config.projector, drop_rate=config.drop_rate, token_std=self.language.token_std)
        self.au_head = nn.Linear(self.language.width, len(config.aus))
        self.config = config.changed(base_fingerprint=self.language.fingerprint)

    def visual_token(self, motion: Tensor) -> Tensor:
        """One token that says what moved.  [B, C, T-1, H, W] -> [B, 1, E]"""
        return self.projector(*self.backbone(motion))

    def hidden(self, visual_token: Tensor) -> Tensor:
        """What the language model makes of the token after its prompt.  [B, 1, E] -> [B, E]"""
        return self.language(visual_token)

    def logits_from_motion(self, motion: Tensor) -> Tensor:
        """[B, C, T-1, H, W] -> [B, K]"""
        return self.au_head(self.hidden(self.visual_token(motion)))

    def forward(self, clips: Tensor) -> Tensor:
        self.check_clips(clips)
        return self.logits_from_motion(self.motion(clips))

    def check_clips(self, clips: Tensor) -> None:
        """Raise `InputError` for clips of another shape, or with numbers that are none."""
        expected = (self.config.frames, self.config.size, self.config.size)
        if clips.ndim != 4 or tuple(clips.shape[1:]) != expected:
            raise InputError(f"Clips must be [B, {', '.join(map(str, expected))}], got {[*clips.shape]}.")
        if not torch.isfinite(clips).all():
            raise InputError("The clip holds values that are not numbers (NaN or infinite): check the frames.")

    @torch.no_grad()
    def probabilities(self, clips: Tensor) -> Tensor:
        """Calibrated probability of each AU.  [B, T, H, W] -> [B, K]"""
        self.eval() if self.training else None
        scale, bias = torch.tensor(self.config.calibration, device=clips.device).T
        return torch.sigmoid(self(clips) * scale + bias)

    def analyze(self, path: str | Path, **options):
        """Find the AUs in a video file or a folder of frames; see `analysis.analyze`.  -> AUReport"""
        from .analysis import analyze

        return analyze(self, path, **options)

    # --- saving and loading: only what training changed, never the language model itself ---

    def trained_state(self) -> dict[str, Tensor]:
        """Every tensor that training changes: all but the frozen language model; LoRA included."""
        return {name: value for name, value in self.state_dict().items() if "language.lm." not in name or "lora_" in name}

    def load_trained_state(self, tensors: dict[str, Tensor], source: str = "the checkpoint") -> None:
        """Put trained tensors in their places.  Raises `InputError` unless names and shapes agree one to one."""
        own = self.trained_state()
        missing, unknown = sorted(own.keys() - tensors.keys()), sorted(tensors.keys() - own.keys())
        if missing or unknown:
            raise InputError(f"{source} does not fit its config: {len(missing)} tensors missing {missing[:2]}, "
                             f"{len(unknown)} unknown {unknown[:2]}. Fetch it again.")
        for name, value in tensors.items():
            if value.shape != own[name].shape:
                raise InputError(f"{source}: {name} has shape {[*value.shape]}, the config needs {[*own[name].shape]}.")
        self.load_state_dict(tensors, strict=False)
        self.language.forget_prefix()

    def save_pretrained(self, folder: str | Path, dtype: torch.dtype = torch.float16) -> None:
        """Write config.json and model.safetensors, each whole or not at all."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {name: (value.to(dtype) if value.is_floating_point() else value).detach().cpu().contiguous()
                   for name, value in self.trained_state().items()}
        facts = {"format": "pt", "aus": " ".join(map(str, self.config.aus)), "base_fingerprint": self.config.base_fingerprint}
        partial = [folder / f"{name}.partial" for name in (WEIGHTS, CONFIG)]
        try:
            save_file(tensors, partial[0], metadata=facts)
            partial[1].write_text(self.config.to_json())
            for path in partial:
                os.replace(path, path.with_suffix(""))
        finally:
            for path in partial:
                path.unlink(missing_ok=True)

    def load_weights(self, folder: str | Path) -> None:
        """Read model.safetensors into this model; its label order must be ours."""
        path = Path(folder) / WEIGHTS
        tensors, facts = read_safetensors(path)
        if facts.get("aus", "").split() != [str(au) for au in self.config.aus]:
            raise InputError(f"{path} was trained for the AUs {facts.get('aus')}, its config lists "
                             f"{' '.join(map(str, self.config.aus))}: labels would be swapped. Fetch the checkpoint again.")
        self.load_trained_state(tensors, str(path))

    @classmethod
    def from_pretrained(cls, name: str | Path = "demo", *, revision: str | None = None, allow_other_base: bool = False) -> "AULLM":
        """Load a checkpoint: `demo` (shipped), a folder, or a Hub id.  In eval mode.

        Raises `InputError` when it is incomplete, or belongs to another language model (unless `allow_other_base`).
        """
        folder = resolve(name, revision)
        saved = AULLMConfig.from_json((folder / CONFIG).read_text())
        model = cls(saved)
        if saved.base_fingerprint != model.language.fingerprint and not allow_other_base:
            raise InputError(f"The checkpoint {name} was trained on another language model than the {saved.language_model} found here "
                             "(fingerprints differ): install its base, or pass allow_other_base=True and expect wrong answers.")
        model.load_weights(folder)
        return model.eval()


def resolve(name: str | Path, revision: str | None = None) -> Path:
    """The folder of a checkpoint: shipped, local, or fetched from the Hub."""
    for folder in (BUNDLED / str(name), Path(name)):
        if folder.is_dir():
            absent = [file for file in (CONFIG, WEIGHTS) if not (folder / file).is_file()]
            if absent:
                raise InputError(f"{folder} is no checkpoint: it lacks {' and '.join(absent)}.")
            return folder
    if str(name).count("/") != 1:
        raise InputError(f"There is no checkpoint {str(name)!r}: give demo, a folder, or a Hub id such as ORG/NAME.")
    try:
        return Path(snapshot_download(str(name), revision=revision, allow_patterns=[CONFIG, WEIGHTS]))
    except Exception as error:  # the Hub client raises many kinds; the sentence matters, not the kind
        raise InputError(f"The checkpoint {name} cannot be fetched from the Hub: check its name and the network ({error}).") from None


def read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors in fp32 and the metadata.  Raises `InputError` for a file that is cut short or something else."""
    try:
        with safe_open(path, "pt") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}
            facts = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} cannot be read ({error}): fetch the checkpoint again.") from None
    return {key: value.float() if value.is_floating_point() else value for key, value in tensors.items()}, facts
