"""Optical flow from the onset to the apex frame, and a linear support vector machine on it.

The classic of the field (MDMO and its kin): where did the skin go, on a coarse grid, and one linear border for each AU.
It reads the annotated apex, which AU-LLM does not need.
"""

from dataclasses import replace

import cv2
import numpy as np
from sklearn.base import clone
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from ..clips import ClipSet
from ..errors import InputError

SIZE, GRID = 64, 16  # pixels of the flow field; cells of the features along each side


def apex_flow(pairs: np.ndarray) -> np.ndarray:
    """OpenCV's DIS flow from onset to apex, without its median, and its strain.  uint8 [N, 2, P, P] -> [N, 3, 64, 64]

    In pixels at 64; strain is sqrt(ux^2 + vy^2 + (uy + vx)^2 / 2) (datasets of the field call it optical strain).
    """
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    scale = SIZE / pairs.shape[-1]
    fields = []
    for onset, apex in pairs:
        flow = cv2.resize(dis.calc(onset, apex, None), (SIZE, SIZE), interpolation=cv2.INTER_AREA) * scale
        u, v = np.moveaxis(flow - np.median(flow, axis=(0, 1)), -1, 0)
        (uy, ux), (vy, vx) = np.gradient(u), np.gradient(v)
        fields.append(np.stack([u, v, np.sqrt(ux**2 + vy**2 + (uy + vx) ** 2 / 2)]))
    return np.stack(fields).astype(np.float32)


def with_flow(data: ClipSet) -> ClipSet:
    """The clips with their `flow`.  Raises `InputError` where no onset and apex frames are known."""
    if data.flow is not None:
        return data
    if data.pairs is None:
        raise InputError("Optical flow needs the onset and the apex frame of each clip: give a data set with both.")
    return replace(data, flow=apex_flow(data.pairs))


def _features(data: ClipSet) -> np.ndarray:
    """Mean flow and strain of each cell.  -> [N, 3 * 16 * 16]"""
    n, c, size, _ = data.flow.shape
    cells = data.flow.reshape(n, c, GRID, size // GRID, GRID, size // GRID)
    return cells.mean((3, 5)).reshape(n, -1)


def fit_flow_svm(train: ClipSet, inner: ClipSet, seed: int):
    """A linear SVM for each AU on flow and strain; an AU that never or always occurs in training scores 0."""
    learnt = [k for k, column in enumerate(train.labels.T) if 0 < column.sum() < len(column)]
    scaler = StandardScaler().fit(_features(train))
    inputs = scaler.transform(_features(train))
    svm = LinearSVC(C=1e-3, class_weight="balanced", random_state=seed)
    fitted = {k: clone(svm).fit(inputs, train.labels[:, k]) for k in learnt}

    def score(data: ClipSet) -> np.ndarray:
        scores, inputs = np.zeros((len(data), train.labels.shape[1])), scaler.transform(_features(data))
        for k, one in fitted.items():
            scores[:, k] = one.decision_function(inputs)
        return scores

    return score
