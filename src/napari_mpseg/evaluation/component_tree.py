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
def grow(values, order, diagonal):  # type: ignore[no-untyped-def]
    """Build the component tree of a part of the image.

    A node stands for pixels of one level that are connected through pixels of this level or higher ones.

    Parameters
    ----------
    values : ndarray of uint8
        ``(Y, X)``, contiguous.
    order : ndarray of int32
        From :func:`pixels_by_falling_level`.
    diagonal : bool
        Whether pixels that touch at a corner are connected.

    Returns
    -------
    level, own, link : ndarray
        Of each node: its level, its number of pixels, and the node of the same or a lower level that it becomes a
        part of (-1: of none).
    edges : ndarray of int32
        ``(4, max(Y, X))``: the nodes of the pixels at the top, bottom, left and right; -1 for level 0.
    """
    height, width = values.shape
    flat = values.ravel()
    parent = np.full(height * width, _WAITING, np.int32)  # of a root: minus the number of pixels
    node_of = np.empty(height * width, np.int32)  # at roots
    level = np.empty(len(order), np.uint8)
    own = np.zeros(len(order), np.int32)
    link = np.full(len(order), -1, np.int32)
    edges = np.full((4, max(height, width)), -1, np.int32)
    nodes = 0
    for i in order:
        k = flat[i]
        y, x = i // width, i % width
        parent[i] = -1
        root, node = i, -1
        for dy in range(-1, 2):
            for dx in range(-1, 2):
                if (dy == 0 and dx == 0) or (not diagonal and dy != 0 and dx != 0):
                    continue
                ny, nx = y + dy, x + dx
                if ny < 0 or ny >= height or nx < 0 or nx >= width:
                    continue
                j = ny * width + nx
                if parent[j] == _WAITING:
                    continue
                other = find(parent, j)
                if other == root:
                    continue
                there = node_of[other]
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
        if y == 0:
            edges[0, x] = node
        if y == height - 1:
            edges[1, x] = node
        if x == 0:
            edges[2, y] = node
        if x == width - 1:
            edges[3, y] = node
    return level[:nodes].copy(), own[:nodes].copy(), link[:nodes].copy(), edges


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
            i, j = find(parent, a[edges[next_edge]]), find(parent, b[edges[next_edge]])
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
