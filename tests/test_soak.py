"""A small soak: every kind of request to the app, good and bad, twice, from two programs at once.

The long form, `.github/soak.py`, asks the real model for an hour and watches the memory.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from sample_report import face_crop
from soaking import Caller, film, requests
from test_app_http import url  # noqa: F401  the app with stand-ins


def test_a_mix_of_requests_gets_the_right_answers(url, tmp_path):  # noqa: F811
    clips = {film(tmp_path / f"{n}.mp4", 20 + n, 20, face_crop(64)): {6, 12} for n in range(2)}
    kinds, known = requests(tmp_path, clips, face_crop(64)), {}

    def ask(seed: int) -> dict:
        caller, names = Caller(url, tmp_path, known, seed), list(kinds)
        np.random.default_rng(seed).shuffle(names)
        return {name: kinds[name](caller) for name in names}

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(ask, range(2)))
    wrong = [f"{name}: {problem}" for some in answers for name, problem in some.items() if problem]
    assert wrong == [] and [set(some) for some in answers] == [set(kinds)] * 2 and len(known) == 2
