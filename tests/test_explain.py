"""Attributions: what Captum gives on our path, what the numbers add up to, and what cannot be explained."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import nn

from aullm_lite.config import AULLMConfig
from aullm_lite.errors import InputError
from aullm_lite.explain import MAPS, METHODS, Attribution, Decision, explain, gradients, removal
from aullm_lite.explain.inside import FEATURES, TOKEN
from aullm_lite.facs import ZONES, zone_map
from aullm_lite.model import AULLM

AU = 12


@pytest.fixture(scope="module")
def clip(clips):
    """Six frames in which something moves.  [T, H, W]"""
    row = int(clips.labels.sum(1).argmax())
    return torch.from_numpy(clips.clips[row]).float() / 255


@pytest.fixture(params=["lucas_kanade", "eulerian"])
def either(request):
    """The smallest model with either front end, its weights larger than at the start, so that logits differ."""
    torch.manual_seed(1)
    model = AULLM(AULLMConfig.from_preset("smoke").changed(motion=request.param)).eval()
    with torch.no_grad():
        model.projector.mlp[-1].weight.mul_(30)
    return model


def test_gradcam_is_made_while_another_thread_asks_the_model(smoke, clip):
    alone, ask = explain(smoke, clip, AU, "gradcam").map, True

    def others():
        while ask:
            smoke.probabilities(torch.rand(4, *clip.shape))

    with ThreadPoolExecutor() as pool:
        asking = pool.submit(others)
        try:
            maps = [explain(smoke, clip, AU, "gradcam").map for _ in range(12)]
        finally:
            ask = False
    asking.result()
    assert all(np.allclose(made, alone, atol=1e-6) for made in maps)


@pytest.mark.parametrize("on", ["motion", "pixels"])
@pytest.mark.parametrize("method", MAPS)
def test_every_map_is_one_number_for_each_pixel_of_each_frame(smoke, clip, method, on):
    made = explain(smoke, clip, AU, method, on)
    assert made.map.shape == clip.shape and np.isfinite(made.map).all() and made.map.any()
    if on == "motion":
        assert not made.map[0].any()  # the first frame is what the others are compared with
    assert sum(map(sum, made.zones.values())) == pytest.approx(made.map.sum(), rel=1e-4, abs=1e-4)
    assert "AU12 Lip corner puller" in made.text() and "%" in made.text()


@pytest.mark.parametrize("on", ["motion", "pixels"])
def test_integrated_gradients_add_up_to_the_difference_of_the_logits(either, clip, on):
    made = explain(either, clip, AU, "ig", on)
    whole = made.logits[0] - made.logits[1]
    assert abs(whole) > 0.01 and abs(made.delta) <= 0.0101 * abs(whole)
    assert made.map.sum() == pytest.approx(whole - made.delta, abs=2e-3 * abs(whole))


def test_integrated_gradients_are_the_mean_gradient_along_the_way(smoke, clip):
    with torch.no_grad():
        motion = smoke.motion(clip[None])
    smoke.requires_grad_(False)
    way = motion * ((torch.arange(32) + 0.5) / 32).view(-1, 1, 1, 1, 1)
    way.requires_grad_()
    (slope,) = torch.autograd.grad(smoke.logits_from_motion(way)[:, 8].sum(), way)
    by_hand = (slope.mean(0) * motion[0]).sum(0)
    found = gradients.integrated_gradients(Decision(smoke, clip, AU), "motion")["map"]
    assert torch.allclose(found[0].sum(0), by_hand, atol=1e-5 * float(by_hand.abs().max()) + 1e-8)


def test_saliency_is_the_size_of_the_gradient(smoke, clip):
    smoke.requires_grad_(False)
    motion = smoke.motion(clip[None]).requires_grad_()
    (slope,) = torch.autograd.grad(smoke.logits_from_motion(motion)[0, 8], motion)
    assert np.allclose(explain(smoke, clip, AU, "saliency").map[1:], slope.abs()[0].sum(0).numpy(), atol=1e-7)


@pytest.mark.parametrize("on", ["motion", "pixels"])
def test_shapley_shares_add_up_and_lie_in_their_zones(either, clip, on):
    made = explain(either, clip, AU, "shapley", on)
    assert not made.map[0].any()
    assert sum(made.parts.values()) == pytest.approx(made.logits[0] - made.logits[1], abs=1e-4)
    assert abs(made.delta) < 1e-4
    for zone, values in made.zones.items():
        for phase, value in zip(("onset to apex", "apex to offset"), values):
            assert value == pytest.approx(made.parts.get(f"{zone}, {phase}", 0.0), abs=1e-4)


def test_shapley_of_a_sum_is_each_part_alone():
    """A model whose logit adds up what moves: the share of a zone is what moves in it, in any order."""
    adding = Adding()
    clip = torch.rand(6, 64, 64)
    made = explain(adding, clip, AU, "shapley")
    change = (clip - clip[:1]).sum(0).numpy()
    for n, zone in enumerate(ZONES):
        assert sum(made.zones[zone]) == pytest.approx(change[zone_map() == n].sum(), rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("method", ["ig", "inputxgradient", "gradshap", "occlusion"])
def test_all_methods_agree_where_the_logit_is_a_sum(method):
    adding, clip = Adding(), torch.rand(6, 64, 64)
    made = explain(adding, clip, AU, method, "pixels")
    change = (clip - clip[:1]).numpy()
    if method == "occlusion":  # it sees blocks
        assert np.sign(made.map[:, 20:44, 20:44].sum()) == np.sign(change[:, 20:44, 20:44].sum())
        assert made.map.sum() == pytest.approx(change.sum(), rel=0.1)
    else:
        assert np.allclose(made.map, change, atol=0.12 if method == "gradshap" else 1e-4)


class Adding(nn.Module):
    """A logit that is the sum of all movement; movement is the difference from the first frame."""

    def __init__(self):
        super().__init__()
        self.config = AULLMConfig(calibration=((1.0, 0.0),) * 12)
        self.weight = nn.Parameter(torch.ones(()))

    device = property(lambda self: self.weight.device)
    check_clips = AULLM.check_clips
    motion = staticmethod(lambda clips: (clips - clips[:, :1])[:, None, 1:])

    def logits_from_motion(self, motion):
        return self.weight * motion.flatten(1).sum(1, keepdim=True).expand(-1, 12)

    def forward(self, clips):
        return self.logits_from_motion(self.motion(clips))


def test_a_cell_of_the_last_convolution_goes_back_to_what_it_saw():
    """Only the pixels in the field of view of one cell change it; the map of that cell must lie among them."""
    cam = torch.zeros(1, 1, 4, 18, 18)
    cam[0, 0, 2, 4, 11] = 1
    at = torch.nonzero(gradients.spread(cam, 64)[0, 0] > 0.45)
    frames, rows, columns = (sorted(set(axis.tolist())) for axis in at.T)
    assert frames == [2, 3]  # a slice has seen two neighbouring steps
    conv = nn.Sequential(nn.Conv3d(1, 1, (1, 5, 5)), nn.MaxPool3d((1, 3, 3)), nn.Conv3d(1, 1, (2, 3, 3)))
    for weights in (conv[0], conv[2]):
        nn.init.ones_(weights.weight)
    motion = torch.zeros(1, 1, 5, 64, 64, requires_grad=True)
    seen = torch.autograd.grad(conv(motion)[0, 0, 2, 4, 11], motion)[0][0, 0].nonzero()
    for axis, own in zip(seen.T[1:], (rows, columns)):
        middle = (axis.min() + axis.max()) / 2
        assert axis.min() <= own[0] and own[-1] <= axis.max() and abs(np.mean(own) - middle) <= 2


@pytest.mark.parametrize("on, first", [("motion", 1), ("pixels", 0)])
def test_parts_change_after_the_apex(smoke, clip, on, first):
    decision = Decision(smoke, clip, AU)
    parts = removal.parts_of(decision, decision.path(on)[1], on)
    assert parts.is_contiguous()  # an expanded mask breaks Captum's Shapley values
    frames = parts.flatten(0, -4)[0] if on == "motion" else parts[0]
    phases = [int(frame.min()) // len(ZONES) for frame in (frames[0] if frames.ndim == 4 else frames)]
    assert phases == [int(t + first > decision.apex) for t in range(len(phases))]


@pytest.mark.parametrize("method, names", [("fusion", FEATURES), ("words", (TOKEN,))])
def test_what_lies_inside_adds_up_too(smoke, clip, method, names):
    made = explain(smoke, clip, AU, method)
    assert set(names) <= set(made.parts) and made.map is None and made.baseline
    assert sum(made.parts.values()) + made.delta == pytest.approx(made.logits[0] - made.logits[1], abs=1e-4)
    assert abs(made.delta) <= 0.05 * abs(made.logits[0] - made.logits[1]) and names[0] in made.text()
    if method == "words":
        assert len(made.parts) == len(smoke.language.prompt_words) + 1


def test_sums_are_promised_only_where_they_hold(smoke, clip):
    for method in MAPS:
        made = explain(smoke, clip, AU, method)
        if made.delta is not None:
            assert made.map.sum() + made.delta == pytest.approx(made.logits[0] - made.logits[1], abs=1e-4), method
    assert explain(smoke, clip, AU, "saliency").baseline is explain(smoke, clip, AU, "saliency").logits is None


def test_the_model_is_left_as_it_was(smoke, clip):
    smoke.train()
    before = {name: weight.requires_grad for name, weight in smoke.named_parameters()}
    explain(smoke, clip, AU)
    assert smoke.training and before == {name: weight.requires_grad for name, weight in smoke.named_parameters()}
    assert all(weight.grad is None for weight in smoke.parameters())


@pytest.mark.parametrize("method", ["ig", "gradshap", "shapley"])
def test_the_same_question_gets_the_same_answer(smoke, clip, method):
    first = explain(smoke, clip, AU, method)
    torch.manual_seed(99)
    assert np.array_equal(first.map, explain(smoke, clip, AU, method).map)


# What cannot be explained


def test_bad_questions_get_one_sentence(smoke, clip):
    for change, word in (
        (dict(au=99), "does not know AU99"),
        (dict(method="magic"), "Unknown method 'magic': choose one of ig"),
        (dict(on="thoughts"), "on motion or on pixels"),
        (dict(clip=clip[None].repeat(2, 1, 1, 1)), "One clip is explained at a time, got 2"),
        (dict(clip=clip * float("nan")), "no numbers"),
        (dict(clip=clip[:3]), r"Clips must be \[B, 6, 64, 64\]"),
        (dict(clip=clip[:1].repeat(6, 1, 1)), "Nothing moves in this clip"),
    ):
        question = dict(clip=clip, au=AU) | change
        with pytest.raises(InputError, match=word):
            explain(smoke, **question)


def test_words_need_a_language_model(clip):
    alone = AULLM(AULLMConfig.from_preset("smoke").changed(language_model="none"))
    with pytest.raises(InputError, match="no language model"):
        explain(alone, clip, AU, "words")
    assert explain(alone, clip, AU, "fusion").parts


@pytest.mark.parametrize("made", [np.zeros((6, 8, 8)), np.full((6, 8, 8), np.nan)])
def test_an_empty_map_is_no_answer(made):
    with pytest.raises(InputError, match="try another method"):
        Attribution(AU, "ig", "motion", made)


def test_an_attribution_of_nothing_is_none():
    with pytest.raises(InputError, match="no numbers"):
        Attribution(AU, "fusion", "features")


# The result


def made_by_hand() -> Attribution:
    """For AU12: 3 at the lip corners until the apex, 1 at the nose after it, and 2 against it at the chin."""
    made, zones = np.zeros((6, 64, 64)), list(ZONES)
    for zone, frame, total in (("lip corners", 2, 3.0), ("nose", 5, 1.0), ("chin", 1, -2.0)):
        mask = zone_map() == zones.index(zone)
        made[frame][mask] = total / mask.sum()
    return Attribution(AU, "ig", "motion", made, apex=3, baseline="the first frame, held", logits=(2.5, 0.5), delta=0.0)


def test_zones_and_phases_are_sums_of_the_map():
    zones = made_by_hand().zones
    assert zones["lip corners"] == pytest.approx((3, 0)) and zones["nose"] == pytest.approx((0, 1))
    assert zones["chin"] == pytest.approx((-2, 0)) and zones["elsewhere"] == (0, 0)


def test_the_sentence_says_where_and_when():
    text = made_by_hand().text()
    assert "its score (the logit, before calibration) is 2.5, and 0.5 for the first frame, held." in text
    assert "Of what zones add for it, 75% lies at the lip corners, 25% at the nose" in text
    assert "75% comes from the frames onset to apex" in text


def test_where_nothing_speaks_for_it_the_text_says_so():
    made = Attribution(AU, "ig", "motion", -np.abs(made_by_hand().map), apex=3)
    assert "Of what zones add against it, 50% lies at the lip corners" in made.text()


def test_a_report_tells_why():
    from sample_report import sample_report

    report = sample_report().with_why(made_by_hand())
    assert "75% lies at the lip corners" in report.text() and report.to_dict()["why"][0]["au"] == AU
    assert "why" not in sample_report().to_dict()


def test_it_is_saved_as_numbers_and_a_map(tmp_path):
    made = made_by_hand()
    made.save(tmp_path / "deep" / "au12")
    facts = json.loads((tmp_path / "deep" / "au12.json").read_text())
    assert facts["zones"]["lip corners"] == [3.0, 0.0] and facts["text"] == made.text() and facts["logit"] == 2.5
    assert np.allclose(np.load(tmp_path / "deep" / "au12.npz")["map"], made.map)


def test_methods_have_their_own_names():
    assert set(METHODS) == {*MAPS, "fusion", "words"}


@pytest.mark.model
def test_the_shipped_model_explains_a_smile_by_the_lip_corners():
    from aullm_lite.demo import RECIPES
    from aullm_lite.synth.render import Actor, render
    from aullm_lite.synth.script import Camera, Script

    model, recipe = AULLM.from_pretrained("demo"), RECIPES[1]
    script = Script(np.linspace(0.45, 0.95, 6), recipe.movements[:1], camera=Camera(noise=0.002), seed=1)
    clip = torch.from_numpy(render(Actor(recipe.person(), recipe.seed), script))
    made = model.explain(clip, AU)
    zones = {zone: sum(values) for zone, values in made.zones.items()}
    assert max(zones, key=zones.get) == "lip corners" and abs(made.delta) < 0.01 * (made.logits[0] - made.logits[1])
    words = model.explain(clip, AU, "words").parts
    assert max(words, key=words.get) == TOKEN
