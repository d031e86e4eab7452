"""The registry of methods; entries load their code only when built."""

import importlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_mpseg.errors import UnknownNameError
from napari_mpseg.methods.protocol import Method
from napari_mpseg.registry import Registry


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
    """

    name: str
    title: str
    summary: str
    factory: str
    options: Mapping[str, Any] = field(default_factory=dict)
    graded: bool = True
    network: bool = False

    def build(self, **options: Any) -> Method:
        """Import the method's code and build it."""
        module, function = self.factory.split(":")
        built: Method = getattr(importlib.import_module(module), function)(**{**self.options, **options})
        return built


METHODS: Registry[MethodEntry] = Registry("method")


def _add(
    name: str, title: str, summary: str, factory: str, *, graded: bool = True, network: bool = False, **options: Any
) -> None:
    METHODS.add(name, MethodEntry(name, title, summary, f"napari_mpseg.methods.{factory}", options, graded, network))


_add(
    "default",
    "Bundled network",
    "Half MultiResUNet trained on Nile-red fluorescence filters; needs no settings.",
    "network:bundled",
    network=True,
)
_add(
    "max-entropy",
    "MaxEntropy threshold",
    "One grey level for the whole image by ImageJ's MaxEntropy rule, as the MP-VAT macro uses it.",
    "thresholds:max_entropy",
    graded=False,
)
_add(
    "fixed-level",
    "Fixed grey level",
    "Every pixel brighter than one given level (0 to 255 after 8-bit conversion) is particle.",
    "thresholds:fixed_level",
    graded=False,
)


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
            factory = "napari_mpseg.methods.network:from_file"
            return MethodEntry(path.name, path.stem, f"Trained model {path}", factory, {"path": path}, network=True)
        if path.suffix or os.sep in text:
            raise UnknownNameError(
                f"There is no model at {text}, and no method of that name. Methods: {', '.join(METHODS)}."
            )
        return METHODS[text]  # raises with the names there are
    return method
