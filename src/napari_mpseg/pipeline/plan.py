"""All that is settled before the work starts, and its record."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from napari_mpseg.images.image import Image
from napari_mpseg.inference.agreement import AGREEMENT
from napari_mpseg.inference.background import BackgroundSettings
from napari_mpseg.inference.instance_predictor import finds_instances
from napari_mpseg.inference.mask_settings import MaskSettings
from napari_mpseg.inference.predictor import Prepared, TilePredictor
from napari_mpseg.methods.protocol import Method
from napari_mpseg.methods.registry import METHODS
from napari_mpseg.provenance import Provenance
from napari_mpseg.results.plan import identity
from napari_mpseg.settings import to_dict


@dataclass(frozen=True)
class Plan:
    """One run; the image is the one given, with its background."""

    image: Image
    method: Method
    name: str
    settings: MaskSettings
    tile_size: int | None
    rules: Any
    background: BackgroundSettings | None
    skip_empty: Any
    scheduler: Any
    measure: bool
    given: Mapping[str, str]
    """Digests of what the method was given beside the image."""


def record_of(plan: Plan, prepared: Prepared, tile: int) -> dict[str, Any]:
    """Return the record of the run: everything that must be given again to get the same result."""
    described = plan.method.describe()
    model = described.pop("model", {})
    described.pop("runtime", None)  # told below, whether it was asked for or chosen
    image, background = plan.image, plan.background
    runtime = getattr(prepared.predictor, "runtime_name", None)
    return Provenance(
        "segment",
        settings={
            "method": plan.name,
            # of a method file: the registered method that it sets
            **({"based_on": plan.method.name} if plan.method.name in METHODS and plan.method.name != plan.name else {}),
            "options": described,
            **({"given": dict(plan.given)} if plan.given else {}),
            **to_dict(plan.settings),
            # there only if labels are no connected pixels of the probability; see results.instances
            **_joining(prepared.predictor),
            "tile_size": tile,
            **({"runtime": runtime} if runtime is not None else {}),
            "skip_empty": to_dict(plan.skip_empty) if plan.skip_empty is not None else None,
            "rules": to_dict(plan.rules),
            "background": to_dict(background) if background is not None else None,
        },
        inputs={
            "name": image.name,
            "source": _absolute(image.source),
            "shape": list(image.data.shape),
            "dtype": str(image.dtype),
            "channels": list(image.channels),
            "plane": list(image.plane),
            "calibration": to_dict(image.calibration),
            **identity(image),
        },
        model=model,
    ).to_dict()


def _joining(predictor: TilePredictor) -> dict[str, Any]:
    """Return how particles that a method tells apart are joined across tiles; nothing for other methods."""
    if not finds_instances(predictor):
        return {}
    return {"instances": {"overlap": predictor.overlap, "agreement": AGREEMENT}}


def _absolute(source: str) -> str:
    # os.path, as a source need be no path at all, such as a layer's name
    return os.path.abspath(source) if os.path.exists(source) else source  # noqa: PTH100, PTH110
