"""Small things that many tests need."""

import os

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that spin while they wait slow a busy machine tenfold

import pytest  # noqa: E402

from aullm_lite.config import AULLMConfig  # noqa: E402
from aullm_lite.model import AULLM  # noqa: E402
from aullm_lite.synth.dataset import make_clips, training_recipe  # noqa: E402


@pytest.fixture(scope="session")
def clips():
    """A few clips of six drawn people."""
    return make_clips(6, 8, training_recipe, seed=500)


@pytest.fixture
def smoke() -> AULLM:
    """The whole model in its smallest form."""
    return AULLM(AULLMConfig.from_preset("smoke")).eval()
