"""Work in several processes, which share the cores."""

import os
import time
from threading import Thread

import cv2
from joblib import Parallel, cpu_count


def processes(count: int, return_as: str = "generator") -> Parallel:
    """As `Parallel` of joblib, -1 for one process a core; each of several computes with one thread of OpenCV.

    They end with the process that started them: joblib's own would write on for a while after that was killed, and keep
    their memory for minutes.  Where `torchrun` has started several of us on this machine, -1 means this one's share.
    """
    if count == -1:
        count = max(1, cpu_count() // int(os.environ.get("LOCAL_WORLD_SIZE", 1)))
    begin = {} if count == 1 else {"initializer": _begin, "initargs": (os.getpid(),)}
    return Parallel(n_jobs=count, return_as=return_as, **begin)


def _begin(parent: int) -> None:
    """Prepare one of several processes, whose parent may have been killed while they were starting."""
    end_with(parent)
    # cv2.setNumThreads itself names no module: to pickle it, Python would look for it in every module there is, and
    # transformers 5.15 answers for hundreds that it has not imported, by importing them, or without torchvision raises
    cv2.setNumThreads(1)


def end_with(parent: int) -> None:
    """From now on end when the parent of this process has ended, even by a kill.  Windows does not tell."""

    def watch() -> None:
        while os.getppid() == parent:  # an orphan gets another
            time.sleep(0.2)
        os._exit(1)

    Thread(target=watch, daemon=True).start()
