"""Compiled loops of :mod:`napari_mpseg.evaluation.count_curve`: pixels join by falling level of probability."""

import numpy as np

from napari_mpseg.particles.compiled import njit

_WAITING = np.int32(-(2**31))  # not a particle yet at this level


@njit
def find(parent, i):  # type: ignore[no-untyped-def]
    """Return the root of `i`; on the way, let every second one point further up."""
    while parent[i] >= 0:
        above = parent[i]
        if parent[above] >= 0:
            parent[i] = parent[above]
        i = above
    return i


@njit
def pixels_by_falling_level(values, counts):  # type: ignore[no-untyped-def]
    """Return the flat places of all pixels above 0, highest level first, in raster order within a level.

    `counts` ``(256,)`` tells how many there are of each level.
    """
    place = np.zeros(256, np.int64)
    for level in range(254, 0, -1):
        place[level] = place[level + 1] + counts[level + 1]
    order = np.empty(counts[1:].sum(), np.int32)
    flat = values.ravel()
    for i in range(len(flat)):
        level = flat[i]
        if level > 0:
            order[place[level]] = i
            place[level] += 1
    return order


@njit
def grow(values, order, steps):  # type: ignore[no-untyped-def]
    """Build the component tree of a part of the image.

    A node stands for pixels of one level that are connected through pixels of this level or higher ones.

    Parameters
    ----------
    values : ndarray of uint8
        ``(Y, X)``, contiguous; all pixels along the border are 0.
    order : ndarray of int32
        From :func:`pixels_by_falling_level`.
    steps : ndarray of int64
        From the flat place of a pixel to those of its neighbours.

    Returns
    -------
    level, own, link : ndarray
        Of each node: its level, its number of pixels, and the node of the same or a lower level that it becomes a
        part of (-1: of none).
    node_at : ndarray of int32
        ``(Y, X)``: the node of every pixel; -1 for level 0.
    """
    flat = values.ravel()
    parent = np.full(len(flat), _WAITING, np.int32)  # of a root: minus the number of pixels
    node_of = np.empty(len(flat), np.int32)  # at roots: the lowest node of the component so far
    node_at = np.full(len(flat), -1, np.int32)
    level = np.empty(len(order), np.uint8)
    own = np.zeros(len(order), np.int32)
    link = np.full(len(order), -1, np.int32)
    nodes = 0
    for i in order:
        k = flat[i]
        parent[i] = -1
        root, node = i, -1
        for step in steps:
            if parent[i + step] == _WAITING:
                continue
            other = find(parent, i + step)
            if other == root:
                continue
            there: int = node_of[other]  # type: ignore[assignment]
            if node < 0 and level[there] == k:
                node = there
                own[node] += 1
            elif node < 0:
                node = nodes
                nodes += 1
                level[node], own[node] = k, 1
                link[there] = node
            else:
                link[there] = node
            if parent[other] < parent[root]:
                root, other = other, root
            parent[root] += parent[other]
            parent[other] = root
            node_of[root] = node
        if node < 0:
            node = nodes
            nodes += 1
            level[node], own[node] = k, 1
            node_of[root] = node
        node_at[i] = node
    return level[:nodes].copy(), own[:nodes].copy(), link[:nodes].copy(), node_at.reshape(values.shape)


@njit
def count_large(nodes, level, own, edges, edge_level, a, b, min_size):  # type: ignore[no-untyped-def]
    """Count the components of `min_size` pixels or more at every level.

    Parameters
    ----------
    nodes, edges : ndarray of int64
        Positions of nodes and of edges, by falling level.
    level, own : ndarray
        Of each node.
    edge_level, a, b : ndarray
        Of each edge: the level from which on downwards it joins, and the two nodes.
    min_size : int

    Returns
    -------
    ndarray of int64
        ``(256,)``; 0 at position 0.
    """
    counts = np.zeros(256, np.int64)
    parent = np.empty(len(own), np.int64)
    current, next_node, next_edge = 0, 0, 0
    for k in range(255, 0, -1):
        while next_node < len(nodes) and level[nodes[next_node]] == k:
            size = own[nodes[next_node]]
            parent[nodes[next_node]] = -size
            current += size >= min_size
            next_node += 1
        while next_edge < len(edges) and edge_level[edges[next_edge]] == k:
            edge = edges[next_edge]
            i, j = find(parent, a[edge]), find(parent, b[edge])
            next_edge += 1
            if i != j:
                if parent[j] < parent[i]:
                    i, j = j, i
                current -= (-parent[i] >= min_size) + (-parent[j] >= min_size)
                parent[i] += parent[j]
                parent[j] = i
                current += -parent[i] >= min_size
        counts[k] = current
    return counts
