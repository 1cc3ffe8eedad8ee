"""Work in several processes, which share the cores."""

import os

import cv2
from joblib import Parallel, cpu_count


def processes(count: int, return_as: str = "generator") -> Parallel:
    """As `Parallel` of joblib, -1 for one process a core; each of several computes with one thread of OpenCV.

    Where `torchrun` has started several of us on this machine, -1 means this one's share of the cores.
    """
    if count == -1:
        count = max(1, cpu_count() // int(os.environ.get("LOCAL_WORLD_SIZE", 1)))
    return Parallel(n_jobs=count, return_as=return_as, **({} if count == 1 else dict(initializer=_one_thread)))


def _one_thread() -> None:
    # cv2.setNumThreads itself names no module: to pickle it, Python would look for it in every module there is, and
    # transformers 5.15 answers for hundreds that it has not imported, by importing them, or without torchvision raises
    cv2.setNumThreads(1)
