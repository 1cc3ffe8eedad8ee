"""AU-LLM: motion -> 3D-CNN -> one visual token -> LoRA-tuned language model -> one logit per Action Unit."""

import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from .backbone import Backbone3D
from .checkpoint import check_fit, find_source, read_config, read_weights, write_checkpoint
from .config import AULLMConfig
from .errors import InputError
from .language import LanguageModel, NoLanguageModel
from .motion import build_motion
from .projector import FusionProjector


class AULLM(nn.Module):
    """The whole detector: clips with values 0..1 to logits in the order of `config.aus`.  [B, T, H, W] -> [B, K]"""

    def __init__(self, config: AULLMConfig | None = None):
        super().__init__()
        config = config or AULLMConfig()
        self.motion = build_motion(config)
        self.backbone = Backbone3D(self.motion.channels, drop_rate=config.drop_rate)
        alone = config.language_model == "none"
        options = {"rank": config.lora_rank, "alpha": config.lora_alpha, "dropout": config.lora_dropout}
        options["end"] = config.end_token
        self.language = NoLanguageModel() if alone else LanguageModel(config.language_model, config.prompt, **options)
        self.projector = FusionProjector(
            self.language.width, kind=config.projector, drop_rate=config.drop_rate, token_std=self.language.token_std
        )
        self.au_head = nn.Linear(self.language.width, len(config.aus))
        self.config = config.changed(base_fingerprint=self.language.fingerprint, end_token=self.language.end)
        self.source: dict | None = None  # where the weights came from, once they are loaded

    @property
    def device(self) -> torch.device:
        return self.au_head.weight.device

    def visual_token(self, motion: Tensor) -> Tensor:
        """One token that says what moved.  [B, C, T-1, H, W] -> [B, 1, E]"""
        return self.projector(*self.backbone(motion))

    def hidden(self, visual_token: Tensor) -> Tensor:
        """What the language model makes of the token after its prompt.  [B, 1, E] -> [B, E]"""
        return self.language(visual_token).to(self.au_head.weight.dtype)

    def logits_from_motion(self, motion: Tensor) -> Tensor:
        """All that follows the motion front end.  [B, C, T-1, H, W] -> [B, K]"""
        return self.au_head(self.hidden(self.visual_token(motion)))

    def forward(self, clips: Tensor) -> Tensor:
        self.check_clips(clips)
        return self.logits_from_motion(self.motion(clips))

    def check_clips(self, clips: Tensor) -> None:
        """Raise `InputError` for clips of another shape or type, or with values that are no numbers."""
        expected = [self.config.frames, self.config.size, self.config.size]
        if clips.ndim != 4 or [*clips.shape[1:]] != expected:
            raise InputError(f"Clips must be [B, {', '.join(map(str, expected))}], got {[*clips.shape]}.")
        if not clips.is_floating_point():
            raise InputError(f"Clips must hold grey values 0..1 as floats, got {clips.dtype}: divide bytes by 255.")
        if not torch.isfinite(clips).all():
            raise InputError("A clip holds values that are no numbers (NaN or infinite): check its frames.")

    @torch.no_grad()
    def probabilities(self, clips: Tensor) -> Tensor:
        """Calibrated probability of each AU, without dropout whatever the mode.  [B, T, H, W] -> [B, K]"""
        self.check_clips(clips)
        return self.probabilities_from_motion(self.motion(clips))

    @torch.no_grad()
    def probabilities_from_motion(self, motion: Tensor) -> Tensor:
        """The same where the motion is known already.  [B, C, T-1, H, W] -> [B, K]"""
        if self.training:
            try:
                return self.eval().probabilities_from_motion(motion)
            finally:
                self.train()
        return self.probabilities_of(self.logits_from_motion(motion))

    def probabilities_of(self, logits: Tensor) -> Tensor:
        """Calibrated.  [B, K] -> [B, K]"""
        scale, bias = torch.tensor(self.config.calibration, device=logits.device).T
        return torch.sigmoid(logits * scale + bias)

    def analyze(self, path: str | Path, **options):
        """Find the AUs in a video file or a folder of frames; see `analysis.analyze`.  -> AUReport"""
        from .analysis import analyze

        return analyze(self, path, **options)

    def explain(self, clip: Tensor, au: int, *how, **options):
        """Attribute the decision on one AU in one clip; see `explain.explain`.  [T, H, W] -> Attribution"""
        from .explain import explain

        return explain(self, clip, au, *how, **options)

    def describe(self, clip: Tensor, question: str | None = None, **options):
        """Put what moved into words, or answer a question; see `speech.describe`.  [T, H, W] -> Spoken"""
        from .speech.spoken import describe

        return describe(self, clip, question, **options)

    # --- saving and loading: only what training changed, never the language model itself ---

    def trained_state(self) -> dict[str, Tensor]:
        """Every tensor that training changes: all but the frozen language model; LoRA included."""
        state = self.state_dict()
        return {name: state[name] for name in state if not name.startswith("language.lm.") or "lora_" in name}

    def load_trained_state(self, tensors: dict[str, Tensor], source: str = "the checkpoint") -> None:
        """Put trained tensors in their places.  Raises `InputError` unless names and shapes agree one to one."""
        check_fit(tensors, self.trained_state(), source)
        self.load_state_dict(tensors, strict=False)
        self.source = None  # until `from_pretrained` says which these are

    def save_pretrained(self, folder: str | Path, dtype: torch.dtype = torch.float16) -> None:
        """Write config.json and model.safetensors, both whole or not at all."""
        write_checkpoint(Path(folder), self.config, self.trained_state(), dtype)

    def push_to_hub(self, repo_id: str, *, private: bool = True, tag: str | None = None) -> str:
        """Publish the model as it is now, without scores, which belong to a folder; returns the commit.

        `python -m aullm_lite push checkpoint` publishes a folder with its scores.  See `hub.upload.send`.
        """
        from .hub.publish import publish_model

        return publish_model(self, repo_id, private=private, tag=tag)

    def load_weights(self, folder: str | Path, *, allow_other_base: bool = False) -> None:
        """Read model.safetensors into this model; its labels and its language model must be ours."""
        tensors, base = read_weights(Path(folder), self.config)
        if base != self.language.fingerprint:
            problem = (
                f"The checkpoint {folder} was trained on another language model (fingerprint {base[:8]}) "
                f"than the {self.config.language_model} found here ({self.language.fingerprint[:8]})"
            )
            if not allow_other_base:
                raise InputError(f"{problem}: get its base, or pass allow_other_base=True and expect wrong answers.")
            warnings.warn(f"{problem}: expect wrong answers.", stacklevel=3)
        self.load_trained_state(tensors, str(folder))

    @classmethod
    def from_pretrained(
        cls,
        name: str | Path = "demo",
        *,
        revision: str | None = None,
        allow_other_base: bool = False,
        dtype: torch.dtype = torch.float32,
    ) -> "AULLM":
        """Load a checkpoint in eval mode: `demo` (shipped), a folder, or a Hub id (with a `revision`).

        `dtype` is the language model's: bfloat16 halves what is read for each clip and is faster where the processor
        can multiply it (AVX512-BF16, AMX, a GPU), but many times slower where it can't; `bench` tells.
        `source` of the model, and every report, then say where it came from.  Raises `InputError` when it cannot be
        had, is incomplete, or belongs to another language model (unless `allow_other_base`).
        """
        source = find_source(name, revision)
        model = cls(read_config(source.folder))
        model.load_weights(source.folder, allow_other_base=allow_other_base)
        model.source = source.facts()
        if model.config.language_model != "none":
            model.language.lm.to(dtype)
        return model.eval()
