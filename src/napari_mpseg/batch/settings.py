"""How every image of a batch is segmented."""

import dataclasses
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import SettingsError
from napari_mpseg.settings import to_dict

AUTO, CHUNKS, IMAGES = "auto", "chunks", "images"

_HOW_ONLY = ("device", "runtime", "scheduler", "tile_size", "parallel")  # the particles do not depend on these


@dataclass(frozen=True)
class BatchSettings:
    """Settings of all images of a batch, handed on to :func:`~napari_mpseg.pipeline.segment`; None is its default.

    Attributes
    ----------
    method : str
        A registered method, a model folder or a method file.
    options : mapping
        Options of the method; plain values only, as they hold for all images.
    background : str or None
        As ``"rolling-ball:50"``.
    threshold : float or None
        Probability, 0 to 1.
    min_size : int or None
        Pixels.
    channels : tuple of str and int, or None
        Names or numbers counted from 0.
    plane : tuple of int or None
        Which plane of stacks.
    connectivity : int
        2 for 8 neighbours, 1 for 4.
    pixel_size : str or None
        As ``"2.5um"``, in place of what the files say.
    rules : str or None
        Rule set for the column ``class``.
    tta : tuple of str or None
        Test-time augmentation, for networks.
    rescale : bool
        For networks: show the image at the pixel size of the training.
    tile_size : int or None
        Pixels.
    device : str
        ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``.
    runtime, skip_empty, scheduler : str or None
        As for a single image.
    parallel : str
        ``"images"`` or ``"images:N"``: several images at once, each in a process of its own. ``"chunks"``: one image
        after the other, its tiles in parallel. ``"auto"`` takes images where there are many small ones.

    Raises
    ------
    SettingsError, CalibrationError
        If a value is impossible.

    Examples
    --------
    >>> BatchSettings("otsu", {"channel": "red"}, parallel="images:4").workers
    4
    """

    method: str = "default"
    options: Mapping[str, Any] = field(default_factory=dict)
    background: str | None = None
    threshold: float | None = None
    min_size: int | None = None
    channels: tuple[str | int, ...] | None = None
    plane: tuple[int, ...] | None = None
    connectivity: int = 2
    pixel_size: str | None = None
    rules: str | None = None
    tta: tuple[str, ...] | None = None
    rescale: bool = False
    tile_size: int | None = None
    device: str = "auto"
    runtime: str | None = None
    skip_empty: str | None = None
    scheduler: str | None = None
    parallel: str = AUTO

    def __post_init__(self) -> None:
        object.__setattr__(self, "method", os.fspath(self.method))
        for name in ("channels", "plane", "tta"):
            given = getattr(self, name)
            if given is not None:
                object.__setattr__(self, name, (given,) if isinstance(given, (str, int)) else tuple(given))
        if self.pixel_size is not None:
            Calibration.parse(self.pixel_size)
        if not re.fullmatch(rf"{AUTO}|{CHUNKS}|{IMAGES}(:[1-9]\d{{0,3}})?", self.parallel):
            raise SettingsError(f"Parallel {self.parallel!r} is unknown. Give auto, chunks, images or images:N.")
        if self.parallel.startswith(IMAGES) and self.scheduler is not None:
            raise SettingsError(
                f"Images side by side ({self.parallel}) and the scheduler {self.scheduler!r}, which is for the tiles "
                "of one image, exclude each other. Leave one of them out."
            )
        try:
            json.dumps(dict(self.options))
        except (TypeError, ValueError):
            raise SettingsError(
                f"The options {', '.join(self.options)} hold something that belongs to one image, such as strokes or "
                "points. A batch needs a method whose settings hold for all images: train it first and give its folder."
            ) from None

    @property
    def workers(self) -> int | None:
        """How many images at once were asked for, if any number was."""
        _, _, number = self.parallel.partition(":")
        return int(number) if number else None

    def for_segment(self) -> dict[str, Any]:
        """Return keyword arguments for :func:`~napari_mpseg.pipeline.segment`, only those that are not its defaults."""
        usual = BatchSettings()
        names = [one.name for one in dataclasses.fields(self) if one.name not in ("parallel", "pixel_size")]
        given = {name: getattr(self, name) for name in names if getattr(self, name) != getattr(usual, name)}
        if self.pixel_size is not None:
            given["calibration"] = Calibration.parse(self.pixel_size)
        if "channels" in given:
            given["channels"] = list(given["channels"])
        return {**given, "method": self.method}

    def deciding(self) -> dict[str, Any]:
        """Return what the particles depend on, as plain JSON values: results made with others must not be mixed."""
        values: dict[str, Any] = json.loads(json.dumps(to_dict(self)))
        return {name: value for name, value in values.items() if name not in _HOW_ONLY}
