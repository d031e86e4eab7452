"""How particles are written into COCO's JSON."""

from dataclasses import dataclass

from napari_mpseg.exchange.coco.shapes import SHAPES


@dataclass(frozen=True)
class CocoSettings:
    """How particles are written.

    Attributes
    ----------
    shape : str
        Name in :data:`~napari_mpseg.exchange.coco.shapes.SHAPES`: ``"polygon"``, ``"rle"`` or ``"compressed"``.
    results : bool
        Write the list of results with scores that COCO's evaluation takes as a prediction, with compressed run
        lengths, instead of a whole file with images and categories.
    category : str
        Name of the category of particles without a class.

    Raises
    ------
    UnknownNameError
        If there is no such shape.
    """

    shape: str = "polygon"
    results: bool = False
    category: str = "particle"

    def __post_init__(self) -> None:
        SHAPES[self.shape]
