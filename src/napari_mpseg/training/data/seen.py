"""Which images a model has seen, as far as its card says, and how that is known of an image.

Training writes into every card what was learnt from (``training["data"]``) and validated on
(``training["validated_on"]``), with what the model that was started from had seen. Whoever chooses a threshold writes
down on which images (``scores["operating_point"]["chosen_on"]``). Comparisons, protocols and the choice of a threshold
ask here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from napari_mpseg.networks.bundled import bundled_card
from napari_mpseg.networks.modelfile import ModelCard
from napari_mpseg.training.data.fingerprints import SAMPLED, WHOLE, Fingerprint

LEARNT, VALIDATED, THRESHOLD = "learnt", "validated", "threshold"
_TEXTS = {
    LEARNT: "part of what the model was trained on",
    VALIDATED: "one of the images that the model was validated on, so it may have been selected on it",
    THRESHOLD: "one of the images that the model's threshold was chosen on",
}
_BY_NAME = {
    LEARNT: "an image of this name is part of what the model was trained on",
    VALIDATED: "the model was validated on an image of this name, so it may have been selected on it",
    THRESHOLD: "the model's threshold was chosen on an image of this name",
}


@dataclass(frozen=True)
class Sight:
    """That a model has seen an image.

    Attributes
    ----------
    use : str
        What for: ``"learnt"``, ``"validated"`` or ``"threshold"``.
    by_pixels : bool
        Whether its pixels tell; otherwise only its name does, as of an image that was changed since.
    """

    use: str
    by_pixels: bool

    @property
    def learnt(self) -> bool:
        """Whether the model learnt from it; otherwise something of the model was only selected on it."""
        return self.use == LEARNT

    @property
    def text(self) -> str:
        """What that means, to follow the name of the image."""
        return (_TEXTS if self.by_pixels else _BY_NAME)[self.use]


@dataclass(frozen=True)
class SeenImages:
    """The images a model has seen.

    Attributes
    ----------
    uses : mapping of str to tuple of mapping
        By use: ``name`` of each image, and mostly ``shape`` and a digest.
    told : bool
        Whether it is known what was learnt from; of what learns from nothing, too.
    """

    uses: Mapping[str, tuple[Mapping[str, Any], ...]]
    told: bool

    def sight_of(self, image: Fingerprint) -> Sight | None:
        """Return whether an image has been seen, and for what: pixels before names, and of these the gravest use."""
        by_pixels = (Sight(use, True) for use in self.uses if any(same_pixels(image, one) for one in self.uses[use]))
        by_name = (
            Sight(use, False) for use in self.uses if any(one.get("name") == image.name for one in self.uses[use])
        )
        return next(by_pixels, None) or next(by_name, None)

    def and_also(self, other: "SeenImages") -> "SeenImages":
        """Return what either has seen."""
        return SeenImages(
            {use: _once([*self.uses.get(use, ()), *other.uses.get(use, ())]) for use in _TEXTS}, self.told
        )


NOTHING, UNKNOWN = SeenImages({}, True), SeenImages({}, False)


def seen_by_card(card: Mapping[str, Any]) -> SeenImages:
    """Return the images that a model has seen.

    Parameters
    ----------
    card : mapping
        Of a network or a forest, as its file holds it. The bundled network and its copies are told by their weights,
        models that started from it by what their card says of the start.
    """
    training, scores = _mapping(card.get("training")), _mapping(card.get("scores"))
    learnt = _listed(training.get("data"))
    uses = {
        LEARNT: learnt,
        VALIDATED: _listed(training.get("validated_on")),
        THRESHOLD: _listed(_mapping(scores.get("operating_point")).get("chosen_on")),
    }
    bundled = bundled_card()
    itself = card.get("weights_sha256") == bundled.weights_sha256
    found = SeenImages(uses, bool(learnt) or itself)
    if not itself and not _started_from(bundled, training):
        return found
    return found.and_also(SeenImages({LEARNT: _listed(bundled.training.get("data"))}, True))


def inherited(own: Sequence[Mapping[str, Any]], start: SeenImages, use: str, by: str) -> list[Mapping[str, Any]]:
    """Return own images, and after them those that the model started from had seen, marked with its name."""
    return list(_once([*own, *({"seen_by": by, **one} for one in start.uses.get(use, ()))]))


def same_pixels(image: Fingerprint, listed: Mapping[str, Any]) -> bool:
    """Return whether the digest of a listed image is that of this one; older records hold one of some pixels only."""
    if WHOLE in listed:
        return bool(listed[WHOLE] == image.whole)
    shape = listed.get("shape")
    if SAMPLED not in listed or (shape is not None and list(shape) != list(image.shape)):
        return False
    return bool(listed[SAMPLED] == image.sampled)


def _started_from(model: ModelCard, training: Mapping[str, Any]) -> bool:
    if "started_from_sha256" in training:
        return bool(training["started_from_sha256"] == model.weights_sha256)
    return training.get("started_from") == model.name  # all that earlier versions kept


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _listed(value: Any) -> tuple[Mapping[str, Any], ...]:
    """Return what is listed in a card, of which some lists hold nothing but names."""
    if not isinstance(value, (list, tuple)):
        return ()
    named = ({"name": one} if isinstance(one, str) else one for one in value)
    return tuple(one for one in named if isinstance(one, Mapping))


def _once(images: Iterable[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    """Return the images without those that were there before, whatever labels they had."""
    found: dict[Any, Mapping[str, Any]] = {}
    for one in images:
        found.setdefault((one.get("name"), one.get(WHOLE), one.get(SAMPLED)), one)
    return tuple(found.values())
