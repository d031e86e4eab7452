"""What a protocol is: how images are divided, what is trained, and which columns its table has."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_mpseg.errors import SettingsError
from napari_mpseg.experiments.rounds import Division

if TYPE_CHECKING:
    from napari_mpseg.training.preset import Preset

COUNTS, IMAGES, ROUNDS = "total", "mean", "fold-mean"


@dataclass(frozen=True)
class ProtocolSettings:
    """What every protocol is told of the data.

    Attributes
    ----------
    seed : int
        Of the division of the images; the networks start from the seed of their preset.
    particle_value : int or None
        The value in labels that is particle; None for everything but 0.
    folds : int
        Groups to divide the images into; 0 takes the ``fold_*`` folders as they are, or else the paper's number.
    together : str
        A regular expression; images in whose file names its first group (or all it matches) is the same stay
        together: exposures of one sample, frames of one film.
    min_size : int
        Predicted particles of fewer pixels are dropped before any metric; 0 keeps every pixel.
    """

    seed: int = 0
    particle_value: int | None = None
    folds: int = 0
    together: str = ""
    min_size: int = 0

    def __post_init__(self) -> None:
        if self.folds < 0 or self.min_size < 0:
            raise SettingsError(f"folds = {self.folds} and min_size = {self.min_size} must be 0 or more.")


@dataclass(frozen=True)
class Inventory:
    """What a division is made from.

    Attributes
    ----------
    names : tuple of str
        Of the images.
    datasets : tuple of str
        The ``fold_*`` folder of each; empty texts where there are none.
    totals : tuple of int
        Particle pixels of each.
    keys : tuple of str, optional
        Images of the same key stay together.
    """

    names: tuple[str, ...]
    datasets: tuple[str, ...]
    totals: tuple[int, ...]
    keys: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes
    ----------
    metric : str
        In the registry of metrics.
    title : str
    over : str
        How images are put together, in :data:`~napari_mpseg.evaluation.aggregate.AGGREGATIONS`: ``"total"`` is of TP,
        FP, FN and TN averaged over the rounds, ``"mean"`` the mean over images, ``"fold-mean"`` that over rounds.
    """

    metric: str
    title: str
    over: str = COUNTS


@dataclass(frozen=True)
class Block:
    """A block of rows: which rounds they are made of.

    Attributes
    ----------
    name, title : str
    note : str
        What it says, in a sentence.
    best : bool
        Of every test set only the round with the lowest validation loss, instead of all.
    """

    name: str
    title: str
    note: str
    best: bool = False


@dataclass(frozen=True)
class Published:
    """A paper's own figures: on its own images, so not to be compared with others.

    Attributes
    ----------
    where : str
        The table in the paper.
    rows : mapping of str to mapping of str to float
        By method; values by metric.
    """

    where: str
    rows: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Protocol:
    """How a paper trained, selected and tested.

    Attributes
    ----------
    name, title, source, summary : str
    settings : type
        A frozen dataclass derived from :class:`ProtocolSettings`.
    divide : callable
        Makes the :class:`~napari_mpseg.experiments.rounds.Division` of settings and :class:`Inventory`.
    recipe : callable
        Takes a preset and returns it as the protocol trains it (which epoch is kept).
    presets, methods : tuple of str
        Compared unless others are named.
    columns : tuple of Column
    blocks : tuple of Block
    published : Published
    open_choices : tuple of str
        What the paper leaves open, and how it is filled here.
    """

    name: str
    title: str
    source: str
    summary: str
    settings: type[ProtocolSettings]
    divide: Callable[[Any, Inventory], Division]
    recipe: "Callable[[Preset], Preset]"
    presets: tuple[str, ...]
    methods: tuple[str, ...]
    columns: tuple[Column, ...]
    blocks: tuple[Block, ...]
    published: Published
    open_choices: Sequence[str] = ()

    def run(self, data: Any, out: Any, **options: Any) -> Any:
        """Run it; see :func:`~napari_mpseg.experiments.run.run_protocol`."""
        from napari_mpseg.experiments.run import run_protocol

        return run_protocol(self, data, out, **options)
