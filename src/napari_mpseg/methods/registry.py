"""The registry of methods; entries load their code only when built."""

import importlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_mpseg.errors import MpsegError, UnknownNameError
from napari_mpseg.methods.protocol import Method
from napari_mpseg.methods.rule_titles import RULE_TITLES
from napari_mpseg.registry import Registry


@dataclass(frozen=True)
class MethodInput:
    """Something a method must be given beside the image, in the image's own pixels.

    Attributes
    ----------
    name : str
        Keyword of the factory: ``"seeds"``.
    kind : str
        ``"points"`` (float ``(N, 2)``, y and x), ``"labels"`` (integers ``(Y, X)``), or ``"settings"``: settings of
        the method's own kind, which have a form of their own, can be typed as a text, and can be saved.
    title, summary : str
        What menus show.
    """

    name: str
    kind: str
    title: str
    summary: str


@dataclass(frozen=True)
class MethodEntry:
    """One choice in the list of methods.

    Attributes
    ----------
    name : str
        What users type: ``"max-entropy"``.
    title : str
        What menus show.
    summary : str
        One sentence on what it does and when to take it.
    factory : str
        ``"module:function"`` that builds the :class:`~napari_mpseg.methods.protocol.Method`.
    options : mapping
        Fixed keyword arguments of the factory.
    graded : bool
        Whether it gives probabilities between 0 and 1, so that a threshold on them means something.
    network : bool
        Whether it is a network, which test-time augmentation and showing images at another pixel size are for.
    group : str
        Under which heading menus show it.
    inputs : tuple of MethodInput
        What it must be given beside the image: points to grow from, painted labels to learn from.
    defaults : mapping
        Of a method file: ``background``, ``threshold`` and ``min_size`` of the pipeline that it was saved with.
    """

    name: str
    title: str
    summary: str
    factory: str
    options: Mapping[str, Any] = field(default_factory=dict)
    graded: bool = True
    network: bool = False
    group: str = "Other"
    inputs: tuple["MethodInput", ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)

    def build(self, **options: Any) -> Method:
        """Import the method's code and build it."""
        module, function = self.factory.split(":")
        built: Method = getattr(importlib.import_module(module), function)(**{**self.options, **options})
        return built


METHODS: Registry[MethodEntry] = Registry("method")

NETWORKS_GROUP, MACROS, THRESHOLDS, LOCAL, LEARNT = (
    "Networks",
    "ImageJ macros",
    "One grey level for the whole image",
    "Level by neighbourhood, shape or seed",
    "Learnt from strokes",
)


def _add(name: str, title: str, summary: str, factory: str, group: str, **more: Any) -> None:
    factory = f"napari_mpseg.methods.{factory}"
    METHODS.add(name, MethodEntry(name, title, summary, factory, group=group, **more))


_add(
    "default",
    "Bundled network",
    "Half MultiResUNet trained on Nile-red fluorescence filters; needs no settings.",
    "network:bundled",
    NETWORKS_GROUP,
    network=True,
)
_add(
    "mp-vat",
    "MP-VAT (Prata 2019)",
    "Invert, 8-bit, MaxEntropy: the ImageJ macro for Nile-red filters, in its own order of steps.",
    "mp_vat:mp_vat",
    MACROS,
    graded=False,
)
_add(
    "mp-vat-2",
    "MP-VAT 2.0 (Prata 2020)",
    "Green (and blue) taken from red, then Renyi entropy: keeps what shines red only.",
    "mp_vat:mp_vat_2",
    MACROS,
    graded=False,
)
_add(
    "mp-act",
    "MP-ACT: colours chosen by hand",
    "Everything whose colour lies in ranges you set by hand in RGB, HSB or Lab; saved and applied to other images.",
    "colour_threshold:mp_act",
    MACROS,
    graded=False,
    inputs=(
        MethodInput(
            "ranges",
            "settings",
            "Ranges of colour",
            "Set them by eye with Layers > Segment > Colour threshold by hand, which saves a method file, or type them "
            "as in ranges='hsb:hue=240-20,brightness=100-255'",
        ),
    ),
)
for _rule in RULE_TITLES:
    _add(
        _rule,
        f"{RULE_TITLES[_rule][0]} threshold",
        RULE_TITLES[_rule][1],
        "threshold:automatic",
        THRESHOLDS,
        graded=False,
        options={"rule": _rule},
    )
_add(
    "fixed-level",
    "Fixed grey level",
    "Every pixel brighter than one given level (0 to 255 after 8-bit conversion) is particle.",
    "threshold:fixed_level",
    THRESHOLDS,
    graded=False,
)
_add(
    "local-threshold",
    "Local threshold",
    "A level of its own for every pixel, from its neighbourhood: for uneven light.",
    "local_threshold:local_threshold",
    LOCAL,
    graded=False,
)
_add(
    "region-growing",
    "Region growing from points",
    "Grows from the points you clicked over neighbours of similar grey value.",
    "region_growing:region_growing",
    LOCAL,
    graded=False,
    inputs=(
        MethodInput("seeds", "points", "Points", "Points layer with one click in every particle that is to be found"),
    ),
)
_add(
    "watershed-gradient",
    "Watershed on the gradient",
    "Floods from what is surely bright and surely dark; borders lie where the image changes most.",
    "watershed_gradient:watershed_gradient",
    LOCAL,
    graded=False,
)
_add(
    "blob-log",
    "Spots (Laplacian of Gaussian)",
    "Finds round bright spots of given sizes and draws each as a disc: for particles of a few pixels.",
    "blobs:blob_log",
    LOCAL,
    graded=False,
)
_add(
    "pixel-forest",
    "Random forest on pixels",
    "Learns particle and background from strokes you painted, by intensity, edges and texture at several scales.",
    "forest.method:from_strokes",
    LEARNT,
    inputs=(
        MethodInput(
            "painted",
            "labels",
            "Painted labels",
            "Labels layer of the same size: one label for background, all others for particle, 0 where not painted",
        ),
    ),
)

# What a folder is, told by a file in it, and who builds a method of it.
FOLDER_CARDS = {
    "card.json": ("network:from_file", True),
    "forest.json": ("forest.method:from_folder", False),
    "detector.json": ("mask_rcnn:from_folder", False),
}


def resolve_method(method: "str | os.PathLike[str] | Method") -> MethodEntry | Method:
    """Return the entry of a registered name, the entry of a model file, or the method object itself.

    Raises
    ------
    UnknownNameError
        If it is neither a registered name nor an existing model file.
    """
    if isinstance(method, (str, os.PathLike)):
        text = os.fspath(method)
        if text in METHODS:
            return METHODS[text]
        path = Path(text)
        if path.exists():
            return _entry_of(path)
        if path.suffix or os.sep in text:
            raise UnknownNameError(
                f"There is no model at {text}, and no method of that name. Methods: {', '.join(METHODS)}."
            )
        return METHODS[text]  # raises with the names there are
    return method


def takes_tta(method: str) -> bool:
    """Return whether a method, by its name or path, is a network: only they are augmented and rescaled."""
    return bool(_of_entry(method, "network", True))


def gives_probability(method: str) -> bool:
    """Return whether a method, by its name or path, gives probabilities, on which a threshold means something."""
    return bool(_of_entry(method, "graded", True))


def defaults_of(method: str) -> Mapping[str, Any]:
    """Return what a method file asks of the pipeline (see :class:`MethodEntry`); nothing for all else."""
    found: Mapping[str, Any] = _of_entry(method, "defaults", {})
    return found


def _of_entry(method: str, what: str, otherwise: Any) -> Any:
    try:
        return getattr(resolve_method(method), what)
    except MpsegError:
        return otherwise


def _entry_of(path: Path) -> MethodEntry:
    """Return the entry of a model folder, a forest's folder or a method file."""
    if path.is_file() and path.suffix == ".json":
        from napari_mpseg.methods.files import entry_of

        return entry_of(path)
    marks = [kind for mark, kind in FOLDER_CARDS.items() if (path / mark).exists()]
    factory, network = marks[0] if marks else FOLDER_CARDS["card.json"]
    title = f"Trained model {path}"
    factory = f"napari_mpseg.methods.{factory}"
    return MethodEntry(path.name, path.stem, title, factory, {"path": path}, network=network, group=LEARNT)
