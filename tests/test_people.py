"""Names of people, packed into runs and out again."""

from hypothesis import given
from hypothesis import strategies as st

from aullm_lite.checkpoint import DEMO
from aullm_lite.config import AULLMConfig
from aullm_lite.people import pack, unpack
from aullm_lite.synth.dataset import HELD_OUT
from aullm_lite.synth.drawn import draw_identity


def test_runs_are_one_entry():
    assert pack(["drawn08", "drawn07", "drawn09", "samm/006", "photo-x", "drawn07"]) == (
        "drawn07..09",
        "photo-x",
        "samm/006",
    )
    assert pack([]) == () and unpack(()) == set()


@given(st.sets(st.from_regex(r"(drawn[0-9]{2}|casme2/[0-9]{2}|x|[0-9]{1,2})", fullmatch=True)))
def test_round_trip(names):
    assert unpack(pack(names)) == names


def test_the_shipped_checkpoint_says_who_taught_it():
    people = unpack(AULLMConfig.from_json((DEMO / "config.json").read_bytes()).trained_on)
    assert draw_identity(0).subject in people and len(people) == 6700
    assert draw_identity(HELD_OUT).subject not in people
