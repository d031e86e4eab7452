"""Joining fragments by the mean affinity between them, the surest first."""

import heapq
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
TOGETHER = 0.5
"""Mean affinity above which two fragments belong together."""


def joined(count: int, pairs: Array, sums: Array, counts: Array) -> Array:
    """Return which group each fragment belongs to.

    Of all pairs of groups, the one of highest mean affinity is joined, until none is above :data:`TOGETHER`. Equal
    ones go by their numbers, so that the result does not depend on chance.

    Parameters
    ----------
    count : int
        Fragments have the numbers 1 to `count`.
    pairs : ndarray of int
        ``(P, 2)``, each once, the lower number first.
    sums, counts : ndarray
        ``(P,)``: sum and number of the affinities between the two.

    Returns
    -------
    ndarray of int32
        ``(count + 1,)``: groups 1 to N in the order of their first fragments; 0 for 0.
    """
    around: dict[int, dict[int, tuple[float, int]]] = {}
    heap: list[tuple[float, int, int, int]] = []
    for (a, b), total, number in zip(pairs.tolist(), sums.tolist(), counts.tolist(), strict=True):
        around.setdefault(a, {})[b] = around.setdefault(b, {})[a] = (total, number)
        if total > TOGETHER * number:
            heap.append((-total / number, a, b, number))
    heapq.heapify(heap)
    parents = list(range(count + 1))
    while heap:
        _, a, b, number = heapq.heappop(heap)
        if parents[a] != a or parents[b] != b or around[a][b][1] != number:
            continue  # one of them was joined with another since, or more pairs lie between them now
        parents[b] = a
        del around[a][b]
        for other, (total, number) in around.pop(b).items():
            if other == a:
                continue
            before = around[a].get(other, (0.0, 0))
            now = (before[0] + total, before[1] + number)
            del around[other][b]
            around[a][other] = around[other][a] = now
            if now[0] > TOGETHER * now[1]:
                heapq.heappush(heap, (-now[0] / now[1], min(a, other), max(a, other), now[1]))
    groups = np.zeros(count + 1, np.int32)
    found = 0
    for fragment in range(1, count + 1):  # the first fragment of a group has the lowest number
        parent = parents[fragment]
        if parent == fragment:
            found += 1
            groups[fragment] = found
        else:
            groups[fragment] = groups[parent]
    return groups
