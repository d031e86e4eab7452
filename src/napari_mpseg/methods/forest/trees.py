"""Trees as plain arrays, and the kernel that asks them; no library's object is kept, and none is ever loaded."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from napari_mpseg.errors import ModelError

Array = np.ndarray[Any, Any]
_KINDS = {"roots": np.int32, "left": np.int32, "feature": np.int16, "threshold": np.float32, "share": np.float32}
ARRAYS = tuple(_KINDS)


@dataclass(frozen=True)
class Trees:
    """All trees of a forest in one row of nodes.

    Attributes
    ----------
    roots : ndarray of int32
        ``(T,)``: the first node of each tree.
    left : ndarray of int32
        ``(N,)``: where a node leads if its question is answered with yes; with no, to the node after that. 0 for the
        ends of a tree (no node leads to the first one).
    feature : ndarray of int16
        ``(N,)``: which feature is asked about; 0 for ends.
    threshold : ndarray of float32
        ``(N,)``: the question is ``feature <= threshold``.
    share : ndarray of float32
        ``(N,)``: share of particle among the pixels that came to this node.
    """

    roots: Array
    left: Array
    feature: Array
    threshold: Array
    share: Array

    def probability(self, features: Array) -> Array:
        """Return the mean share of the ends that a pixel comes to, over all trees.

        Parameters
        ----------
        features : ndarray of float32
            ``(F, ...)``: the planes of :func:`~napari_mpseg.methods.forest.features.compute_features`. A value that is
            not a number counts as small.

        Returns
        -------
        ndarray of float32
            ``(...)``, 0 to 1.
        """
        from napari_mpseg.methods.forest.kernel import ask

        planes = np.ascontiguousarray(features, np.float32).reshape(len(features), -1)
        found: Array = ask(planes, self.roots.astype(np.uint32), self._nodes)
        return found.reshape(features.shape[1:])

    @cached_property
    def _nodes(self) -> Array:
        """The nodes as the kernel takes them: ends lead to themselves, whatever the feature."""
        from napari_mpseg.methods.forest.kernel import NODE

        ends = self.left == 0
        nodes = np.empty(len(self.left), NODE)
        nodes["left"] = np.where(ends, np.arange(len(ends)), self.left)
        nodes["threshold"] = np.where(ends, np.float32(np.inf), self.threshold)
        nodes["feature"], nodes["share"] = self.feature, self.share
        return nodes

    def to_arrays(self) -> dict[str, Array]:
        """Return the arrays by name."""
        return {name: getattr(self, name) for name in ARRAYS}


def trees_of(forest: Any) -> Trees:
    """Return the trees of a fitted scikit-learn forest of two classes (0 and 1), or of one class.

    scikit-learn compares float32 features with float64 thresholds. Here a threshold is rounded down to float32, which
    answers every float32 the same.
    """
    parts: dict[str, list[Array]] = {name: [] for name in ARRAYS}
    first = 0
    for estimator in forest.estimators_:
        order, left = _paired(estimator.tree_)
        tree = estimator.tree_
        exact = tree.threshold[order]
        threshold = exact.astype(np.float32)
        threshold = np.where(threshold > exact, np.nextafter(threshold, np.float32(-np.inf)), threshold)
        parts["roots"].append(np.array([first]))
        parts["left"].append(np.where(left > 0, left + first, 0))
        parts["feature"].append(np.where(left > 0, tree.feature[order], 0))
        parts["threshold"].append(np.where(left > 0, threshold, np.float32(0)))
        parts["share"].append(_shares(tree.value[order, 0], forest.classes_))
        first += len(order)
    return Trees(**{name: np.concatenate(parts[name]).astype(kind) for name, kind in _KINDS.items()})


def checked_trees(arrays: dict[str, Array], features: int) -> Trees:
    """Return arrays as trees after a look at all of them: the kernel trusts them.

    Raises
    ------
    ModelError
        If they are no trees of that many features.
    """
    if set(arrays) != set(ARRAYS):
        raise ModelError(f"it holds {', '.join(sorted(arrays)) or 'nothing'}, and not {', '.join(ARRAYS)}")
    for name, kind in _KINDS.items():
        if arrays[name].dtype != kind or arrays[name].ndim != 1:
            raise ModelError(f"{name} is {arrays[name].dtype} of {arrays[name].ndim} axes")
    trees = Trees(**arrays)
    nodes = len(trees.left)
    if not len(trees.roots) or any(len(arrays[name]) != nodes for name in ARRAYS[1:]):
        raise ModelError("its arrays do not fit each other")
    inner = trees.left > 0
    onwards = trees.left[inner] > np.flatnonzero(inner)  # every way leads on, and so comes to an end
    fits = (
        onwards.all()
        and (trees.left[inner] < nodes - 1).all()
        and (trees.left >= 0).all()
        and ((trees.roots >= 0) & (trees.roots < nodes)).all()
        and ((trees.feature >= 0) & (trees.feature < features)).all()
        and ((trees.share >= 0) & (trees.share <= 1)).all()
        and not np.isnan(trees.threshold).any()
    )
    if not fits:
        raise ModelError("its nodes lead to where none are")
    return trees


def _paired(tree: Any) -> tuple[Array, Array]:
    """Return an order of the nodes in which the two that a node leads to follow each other, level by level.

    Returns
    -------
    order : ndarray of int
        Numbers of scikit-learn's nodes.
    left : ndarray of int
        For each node in this order, the place of the one that follows a yes; 0 for ends.
    """
    left, right = tree.children_left, tree.children_right
    order: list[Array] = [np.array([0])]
    level = order[0]
    while True:
        inner = level[left[level] >= 0]
        if not len(inner):
            break
        level = np.stack([left[inner], right[inner]], axis=1).ravel()
        order.append(level)
    numbers = np.concatenate(order)
    places = np.empty(len(numbers), np.int64)
    places[numbers] = np.arange(len(numbers))
    own = left[numbers]
    return numbers, np.where(own >= 0, places[np.maximum(own, 0)], 0)


def _shares(values: Array, classes: Array) -> Array:
    """Return the share of class 1."""
    if 1 not in classes:
        return np.zeros(len(values))
    own: Array = values[:, list(classes).index(1)] / values.sum(1)
    return own
