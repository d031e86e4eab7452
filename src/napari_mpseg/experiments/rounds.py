"""Who is trained on, validated on and tested on, round by round."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from napari_mpseg.errors import SettingsError


@dataclass(frozen=True)
class Round:
    """One training with its test.

    Attributes
    ----------
    name : str
        Of the model that is trained, such as ``"without-fold_1-validated-on-fold_2"``.
    test_name : str
        Of the test set; rounds of the same name have the same one.
    train, validation, test : tuple of int
        Numbers of the images, ascending.
    """

    name: str
    test_name: str
    train: tuple[int, ...]
    validation: tuple[int, ...]
    test: tuple[int, ...]


@dataclass(frozen=True)
class Division:
    """How the images of a protocol are divided.

    Attributes
    ----------
    datasets : mapping of str to tuple of int
        The groups that the rounds are made of, by name.
    rounds : tuple of Round
    """

    datasets: Mapping[str, tuple[int, ...]]
    rounds: tuple[Round, ...]


def check_rounds(
    rounds: Sequence[Round], names: Sequence[str], pixels: Sequence[str], keys: Sequence[str] | None = None
) -> None:
    """Refuse rounds in which an image, or a copy of one, is in two of training, validation and test.

    Parameters
    ----------
    rounds : sequence of Round
    names, pixels : sequence of str
        Of every image: what it is called, and a digest of its pixels.
    keys : sequence of str, optional
        Images of the same key are to be in the same part too.

    Raises
    ------
    SettingsError
        If one is; both names are told.
    """
    for values, what in ((pixels, "are the same picture"), (keys, "belong together")):
        for one in rounds if values is not None else ():
            _check_round(one, names, values or (), what)


def _check_round(one: Round, names: Sequence[str], values: Sequence[str], what: str) -> None:
    seen: dict[str, tuple[str, int]] = {}
    for part, numbers in (("training", one.train), ("validation", one.validation), ("test", one.test)):
        for number in numbers:
            other, first = seen.setdefault(values[number], (part, number))
            if other != part:
                raise SettingsError(
                    f"{names[first]} ({other}) and {names[number]} ({part}) {what}: the test would not be on what was "
                    "never seen. Remove one of them, or give the number of folds to divide all images anew."
                )


def split_record(division: Division, prints: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the division as plain JSON values: names and digests of all images, datasets, rounds."""
    names = [str(one["name"]) for one in prints]

    def called(numbers: Sequence[int]) -> list[str]:
        return [names[number] for number in numbers]

    return {
        "images": {str(one["name"]): {k: v for k, v in one.items() if k != "name"} for one in prints},
        "datasets": {name: called(numbers) for name, numbers in division.datasets.items()},
        "rounds": {
            one.name: {
                "test_set": one.test_name,
                "train": called(one.train),
                "validation": called(one.validation),
                "test": called(one.test),
            }
            for one in division.rounds
        },
    }
