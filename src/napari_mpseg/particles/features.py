"""The particle table in the form napari's Labels layer and its features table need.

napari's table takes the row position as the label, its status bar takes the ``index`` column: both are satisfied by
one row per label from 0 (background, all values missing) to the largest label.
"""

import numpy as np
import pandas as pd

from napari_mpseg.errors import ImageError
from napari_mpseg.particles.review.definitions import CATEGORIES, UNCLASSIFIED, as_category

_ABOUT_CLASS = "class_assigned"  # whether the class was given by hand: says nothing without one
_SPARSE_ROWS = 10_000  # empty rows that are always acceptable


def to_features(frame: pd.DataFrame) -> pd.DataFrame:
    """Return rows 0 ... largest label, with an ``index`` column equal to the label.

    Integers become float64 and booleans nullable ``boolean``, since row 0 and labels without a particle have missing
    values. Categories keep all their names, which napari's table offers as a drop-down; particles without a class are
    ``"unclassified"``, since that table cannot edit an empty cell.

    Raises
    ------
    ImageError
        If there would be far more empty rows than particles.
    """
    labels = frame["label"].to_numpy()
    largest = int(labels.max(initial=0))
    if largest - len(labels) > max(_SPARSE_ROWS, 9 * len(labels)):
        raise ImageError(
            f"{len(labels)} particles have labels up to {largest}, so a layer's table would be nearly all empty rows. "
            "Renumber the labels 1, 2, 3 ... first, for example with skimage.segmentation.relabel_sequential."
        )
    columns: dict[str, object] = {"index": np.arange(largest + 1)}
    for name in frame.columns:
        if name == "label":
            continue
        values = frame[name]
        if values.dtype == bool:
            values = values.astype("boolean")
        elif values.dtype.kind in "iu":
            values = values.astype("float64")
        elif name in CATEGORIES:
            classes = as_category(values)
            values = as_category(
                classes.astype("object").where(classes.notna(), UNCLASSIFIED), list(classes.cat.categories)
            )
        columns[name] = values.set_axis(labels).reindex(range(largest + 1))
    return pd.DataFrame(columns)


def from_features(features: pd.DataFrame) -> pd.DataFrame:
    """Return one row per particle with a ``label`` column; rows without any value are left out.

    So are rows that say nothing but ``class_assigned``: there is no particle whose class that could be.

    Raises
    ------
    ImageError
        If there is no ``index`` column, or it has something else than whole numbers.
    """
    if "index" not in features.columns:
        raise ImageError(
            "The features have no column 'index' that tells the labels. "
            f"They have: {', '.join(map(str, features.columns))}."
        )
    number = pd.to_numeric(features["index"], errors="coerce").to_numpy(np.float64, na_value=np.nan)
    odd = (number != np.rint(number)) & features["index"].notna().to_numpy(bool)
    if odd.any():
        row = int(np.argmax(odd))
        raise ImageError(
            f"The column 'index', which tells the labels, has {features['index'].iloc[row]!s} in row {row + 1}. "
            "Give whole numbers."
        )
    frame = features.rename(columns={"index": "label"}).assign(label=number)
    values = frame.drop(columns=["label", _ABOUT_CLASS], errors="ignore")
    present = (frame["label"] > 0) & (values.notna().any(axis=1) if len(values.columns) else True)
    frame = frame[present].reset_index(drop=True)
    first = frame.pop("label").astype("int64")
    frame.insert(0, "label", first)
    return frame
