"""In which order particles are looked at."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_mpseg.registry import Registry


@dataclass(frozen=True)
class Order:
    """One order.

    Attributes
    ----------
    title : str
        For the user.
    sort : callable
        Takes a table with ``label`` and a seed, and returns positions of its rows.
    """

    title: str
    sort: Callable[[pd.DataFrame, int], NDArray[np.int64]]


ORDERS: Registry[Order] = Registry("order")


def review_order(features: pd.DataFrame, order: str, *, seed: int = 0, leave_out: Collection[int] = ()) -> list[int]:
    """Return the labels of all particles in the order in which they are to be looked at.

    Parameters
    ----------
    features : pandas.DataFrame
        Of a layer, with ``index`` and ``keep``, which is missing where there is no particle.
    order : str
        Name in :data:`ORDERS`.
    seed : int
        Of the random order: the same seed gives the same order.
    leave_out : collection of int
        Labels that are not wanted.

    Raises
    ------
    UnknownNameError
        If there is no such order.
    """
    sort = ORDERS[order].sort
    labels = features["index"].to_numpy(np.int64)
    there = (labels > 0) & features["keep"].notna().to_numpy()
    if leave_out:
        there &= ~np.isin(labels, list(leave_out))
    frame = features[there].rename(columns={"index": "label"}).reset_index(drop=True)
    return [int(label) for label in frame["label"].to_numpy(np.int64)[sort(frame, seed)]]


def _by(values: Any, *, largest: bool = False) -> NDArray[np.int64]:
    numbers = pd.to_numeric(pd.Series(values), errors="coerce").to_numpy(float, na_value=np.nan)
    return np.argsort(-numbers if largest else numbers, kind="stable")  # missing ones come last


def _area(frame: pd.DataFrame) -> Any:
    column = next((name for name in frame if str(name).startswith("area_")), None)
    return frame[column] if column is not None else np.zeros(len(frame))


def _confidence(frame: pd.DataFrame) -> Any:
    return frame["confidence"] if "confidence" in frame else np.zeros(len(frame))


def _shuffled(frame: pd.DataFrame, seed: int) -> NDArray[np.int64]:
    return np.random.default_rng(seed).permutation(len(frame))


ORDERS.add("largest", Order("Largest first", lambda frame, seed: _by(_area(frame), largest=True)))
ORDERS.add("uncertain", Order("Least certain first", lambda frame, seed: _by(_confidence(frame))))
ORDERS.add("random", Order("At random", _shuffled))
ORDERS.add("label", Order("By number", lambda frame, seed: _by(frame["label"])))
