"""What a run of the benchmark is told."""

from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True)
class Settings:
    """How large, how often, of what.

    Attributes
    ----------
    work : str
        Folder for inputs and results.
    data : str or None
        Folder of the real patches with ``make_filter.py``; without it filters are made up.
    reference : str or None
        Folder of the reference masks.
    method : str
        A network: ``"default"`` is the bundled one, else a model folder.
    cheap : str
        A method that costs next to nothing, to see what the house costs.
    runtime : str
        What computes the network; ``"auto"`` is the fastest here.
    skip_empty : str
        How empty space is skipped where that is measured.
    tile : int or None
        Side of a tile; None is what the network prefers.
    repeat : int
        How often both sides of a comparison alternate.
    size : tuple of int
        Height and width of the filter.
    monai_size : tuple of int or None
        Of the part of it shown to MONAI; None is all. MONAI's windows all have one size, so that at the image's end
        they overlap more: the fewer windows, the more that costs it.
    whole_size : tuple of int
        Of the part that goes through the network in one piece, to see whose result is equal to that.
    sides : tuple of int
        Of the square images whose time per pixel is compared.
    memory_sides : tuple of int
        Of the small and the large image whose peak memory is compared.
    chunk : int
        Side of the chunks of lazily made images, and of masks to label.
    labelling_side : int
        Of the largest mask labelled to see its memory.
    """

    work: str
    data: str | None = None
    reference: str | None = None
    method: str = "default"
    cheap: str = "fixed-level"
    runtime: str = "auto"
    skip_empty: str = "background"
    tile: int | None = None
    repeat: int = 3
    size: tuple[int, int] = (5424, 7140)
    monai_size: tuple[int, int] | None = None
    whole_size: tuple[int, int] = (1356, 1784)
    sides: tuple[int, ...] = (2048, 8192, 32768)
    memory_sides: tuple[int, int] = (4096, 32768)
    chunk: int = 1024
    labelling_side: int = 32768

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as JSON holds them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, told: dict[str, Any]) -> "Settings":
        """Return the settings of :meth:`to_dict`, read back from JSON."""
        names = {field.name for field in fields(cls)}
        return cls(**{name: tuple(v) if isinstance(v, list) else v for name, v in told.items() if name in names})


#: Every row in seconds, to see that it works: its figures say nothing.
TINY = {
    "repeat": 1,
    "tile": 128,
    "size": (300, 400),
    "monai_size": (256, 300),
    "whole_size": (256, 300),
    "sides": (256, 512),
    "memory_sides": (256, 512),
    "chunk": 128,
    "labelling_side": 512,
}
