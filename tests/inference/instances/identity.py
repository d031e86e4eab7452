"""Predictors that know the truth: particles told apart by who they are, whatever touches what."""

from dataclasses import dataclass, replace

import numpy as np

from napari_mpseg.inference.instance_predictor import WindowInstances
from napari_mpseg.inference.predictor import Prepared


@dataclass
class Identity:
    """Reads the image's values as who each pixel belongs to; disturbed as asked.

    Attributes
    ----------
    permuted : bool
        Number particles anew, by chance, in each window.
    sliver : int
        Do not see what shows fewer pixels in a window and touches its edge inside the image.
    noise : int
        See nonsense in so many pixels along those edges of a window that lie inside the image.
    """

    halo: int = 16
    overlap: int = 16
    stride: int = 1
    exact: bool = True
    permuted: bool = False
    sliver: int = 0
    noise: int = 0

    def predict(self, window, margins=(0, 0, 0, 0)):
        return cut(self.predict_instances(window, margins, 0.5).probability, margins)

    def predict_instances(self, window, margins, threshold):
        labels = np.array(window, np.int32)
        chance = np.random.default_rng(int(labels.sum()))
        if self.sliver:
            edges = (labels[0], labels[-1], labels[:, 0], labels[:, -1])
            cut_off = [edge for edge, margin in zip(edges, margins, strict=True) if margin >= self.halo]
            seen = np.unique(np.concatenate([[0], *cut_off]))
            small = [number for number in seen if (labels == number).sum() < self.sliver]
            labels[np.isin(labels, small)] = 0
        for side, margin in enumerate(margins):
            if self.noise and margin >= self.halo:
                seen = labels.T if side > 1 else labels
                strip = seen[-self.noise :] if side % 2 else seen[: self.noise]
                strip[:] = chance.integers(0, 9, strip.shape) * 1_000_003
        if self.permuted:
            numbers, which = np.unique(labels, return_inverse=True)
            new = chance.permutation(len(numbers)).astype(np.int32) * 3 + 5
            labels = np.where(labels > 0, new[which.reshape(labels.shape)], 0)
        return WindowInstances((labels > 0).astype(np.float32), labels)


@dataclass
class Components(Identity):
    """Particles are the connected pixels of each window; probability is brightness."""

    connectivity: int = 2

    def predict_instances(self, window, margins, threshold):
        from skimage.measure import label

        probability = np.asarray(window, np.float32) / 255
        return WindowInstances(probability, label(probability >= threshold, connectivity=self.connectivity))


@dataclass
class Method:
    """A method, given as an object, that makes the predictor it was given."""

    predictor: Identity
    name: str = "true-identity"
    default_threshold: float = 0.5

    def prepare(self, image, *, on_progress, cancel):
        return Prepared(image, replace(self.predictor))

    def describe(self):
        return {"halo": self.predictor.halo}


def cut(values, margins):
    """Return a window less its margins."""
    top, bottom, left, right = margins
    return values[top : values.shape[0] - bottom, left : values.shape[1] - right]


def discs(chance, shape, count, radii=(2.5, 8)):
    """Return discs that touch each other at random places, numbered 1..N in raster order of their first pixels."""
    labels = np.zeros(shape, np.int32)
    y, x = np.ogrid[: shape[0], : shape[1]]
    for number in range(1, count + 1):
        cy, cx, radius = chance.uniform(0, shape[0]), chance.uniform(0, shape[1]), chance.uniform(*radii)
        labels[(labels == 0) & ((y - cy) ** 2 + (x - cx) ** 2 <= radius**2)] = number
    return in_raster_order(connected(labels))


def fibres(chance, shape, count, width=1.6):
    """Return bent fibres across much of the image, numbered as above; later ones end where they meet earlier ones."""
    labels = np.zeros(shape, np.int32)
    y, x = np.mgrid[: shape[0], : shape[1]]
    for number in range(1, count + 1):
        turn, shift, bend = chance.uniform(0, np.pi), chance.uniform(-0.3, 0.3), chance.uniform(-2, 2)
        u = (x / shape[1] - 0.5) * np.cos(turn) + (y / shape[0] - 0.5) * np.sin(turn)
        v = (y / shape[0] - 0.5) * np.cos(turn) - (x / shape[1] - 0.5) * np.sin(turn)
        labels[(labels == 0) & (abs(v - shift - bend * u**2) * max(shape) <= width)] = number
    return in_raster_order(connected(labels))


def connected(labels):
    """Return of each particle its largest connected piece alone."""
    from skimage.measure import label

    pieces = label(labels, connectivity=2)
    sizes = np.bincount(pieces.ravel())
    kept = np.zeros_like(labels)
    for number in np.unique(labels[labels > 0]):
        own = np.unique(pieces[labels == number])
        kept[pieces == own[np.argmax(sizes[own])]] = number
    return kept


def in_raster_order(labels):
    """Return the same particles numbered 1..N in raster order of their first pixels."""
    numbers, first = np.unique(labels, return_index=True)
    numbers, first = numbers[numbers > 0], first[numbers > 0]
    table = np.zeros(labels.max() + 1, np.int32)
    table[numbers[np.argsort(first)]] = np.arange(1, len(numbers) + 1)
    return table[labels]
