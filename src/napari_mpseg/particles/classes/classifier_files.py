"""Classifiers on disk: the examples they learnt from, as plain numbers; loading fits them again.

Nothing in such a file is executed, and nothing is unpickled. The same examples, settings and library versions give the
same classifier; with other versions the answers are compared with those noted in the file, and a difference is said.
"""

import hashlib
import json
import math
import os
import warnings
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from napari_mpseg._version import __version__
from napari_mpseg.errors import ModelError, MpsegError
from napari_mpseg.particles.classes.files import read_object, write_object
from napari_mpseg.particles.classes.models import ClassifierSettings
from napari_mpseg.particles.classes.trained import TrainedClassifier, fit
from napari_mpseg.particles.classes.validation import Validation
from napari_mpseg.settings import from_dict, to_dict

#: Name of the file in a folder: of the classifier alone, or of a model.
FILE_NAME = "classifier.json"

_WHAT = "particle classifier"
_VERSION = 1
_LIBRARIES = ("numpy", "scikit-learn")
_DIGITS = 6  # of the noted probabilities
_NOTICEABLE = 0.01  # difference of probability that is worth a warning


def save_classifier(classifier: TrainedClassifier, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """Write a classifier as JSON.

    Parameters
    ----------
    classifier : TrainedClassifier
        What :func:`~napari_mpseg.particles.classes.trained.train_classifier` gave.
    path : path-like
        A file that ends in ``.json``; or a folder, new or that of a model, in which it becomes ``classifier.json``.
    overwrite : bool
        Replace a classifier that is there. Other files in the folder are never touched.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    StoreError
        If the place cannot be written or is taken.
    """
    values: dict[str, Any] = {
        "format": "napari-mpseg",
        "kind": _WHAT,
        "version": _VERSION,
        "settings": to_dict(classifier.settings),
        "columns": list(classifier.columns),
        "classes": list(classifier.classes),
        "rows": [[None if math.isnan(value) else value for value in row] for row in classifier.rows.tolist()],
        "codes": classifier.codes.tolist(),
        "validation": to_dict(classifier.validation),
        "versions": {"napari-mpseg": __version__, **{name: metadata.version(name) for name in _LIBRARIES}},
        "answers": _answers(classifier).tolist(),
    }
    return write_object({**values, "sha256": _digest(values)}, _file(path), overwrite=overwrite)


def load_classifier(path: str | os.PathLike[str]) -> TrainedClassifier:
    """Read a classifier that :func:`save_classifier` wrote, and fit it again.

    Parameters
    ----------
    path : path-like
        The file, or the folder it lies in.

    Raises
    ------
    ModelError
        If the file is no classifier, of a later version, changed or damaged.
    StoreError
        If it cannot be read.

    Warns
    -----
    UserWarning
        If it answers otherwise than when it was saved, because of other library versions.
    """
    file = _file(path)
    try:
        values = read_object(file, _WHAT)
    except ValueError as error:
        raise ModelError(str(error)) from error
    if values.get("version") != _VERSION:
        raise ModelError(
            f"{file} is a classifier of version {values.get('version')!r}, and this program reads version {_VERSION}. "
            "Update napari-mpseg, or train again."
        )
    digest = values.pop("sha256", None)
    if digest != _digest(values):
        raise ModelError(f"{file} was changed or damaged since it was saved. Take another copy, or train again.")
    try:
        classifier = _fitted(values)
        _compare(classifier, values, file)
    except (MpsegError, KeyError, TypeError, ValueError, IndexError) as error:
        raise ModelError(f"{file} cannot be used as a classifier: {error}. Train again.") from error
    return classifier


def _fitted(values: Mapping[str, Any]) -> TrainedClassifier:
    settings = from_dict(ClassifierSettings, values["settings"])
    validation = from_dict(Validation, values["validation"])
    columns, classes = (tuple(str(name) for name in values[key]) for key in ("columns", "classes"))
    rows = np.asarray([[math.nan if one is None else float(one) for one in row] for row in values["rows"]], np.float64)
    codes = np.asarray(values["codes"], np.int64)
    if rows.shape != (len(codes), len(columns)) or set(codes.tolist()) != set(range(len(classes))) or len(classes) < 2:
        raise ValueError(f"{rows.shape} values do not fit {len(codes)} examples of {len(classes)} classes")
    return fit(settings, columns, classes, rows, codes, validation)


def _compare(classifier: TrainedClassifier, values: Mapping[str, Any], file: Path) -> None:
    noted = np.asarray(values["answers"], np.float64)
    apart = float(np.abs(_answers(classifier) - noted).max())
    if apart > _NOTICEABLE:
        before = ", ".join(f"{name} {version}" for name, version in values["versions"].items())
        warnings.warn(
            f"{file.parent.name if file.name == FILE_NAME else file.name} was trained with {before}. With what is "
            f"installed now, its probabilities differ by up to {apart:.2f}. Those versions give the same answers.",
            stacklevel=3,
        )


def _answers(classifier: TrainedClassifier) -> "np.ndarray[Any, np.dtype[np.float64]]":
    return np.round(classifier.shares(classifier.rows), _DIGITS)


def _digest(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _file(path: str | os.PathLike[str]) -> Path:
    path = Path(path)
    return path if path.suffix.lower() == ".json" and not path.is_dir() else path / FILE_NAME
