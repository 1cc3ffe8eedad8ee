"""What `bench` measures that no other test runs; how fast it is, is nobody's test."""

from aullm_lite import bench


def test_words_are_timed_where_there_are_words(smoke):
    assert bench.speech_speed(smoke) is None
    smoke.config = smoke.config.changed(speaks=True)
    figures = bench.speech_speed(smoke, rounds=1)
    assert 0 < figures["first_word_s"] < figures["report_s"] and figures["tokens"] >= 1
