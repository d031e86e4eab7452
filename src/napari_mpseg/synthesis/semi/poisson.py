"""The Poisson equation on a region of any shape: gradients of one image within another (Perez et al. 2003)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_DIRECT = 40_000  # unknowns up to which the matrix is factorised; above, iteration needs less memory


def seamless(ground: NDArray[np.float32], piece: NDArray[np.float32], region: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the ground with a region that has the piece's differences between neighbours and the ground's border.

    Solved is, for each pixel p of the region with its four neighbours q, sum(f_p - f_q) = sum(g_p - g_q), with f the
    result, g the piece, and f = ground outside the region. At the border of the array there is no neighbour, and no
    condition.

    Parameters
    ----------
    ground, piece : ndarray of float32
        ``(Y, X, C)``.
    region : ndarray of bool
        ``(Y, X)``. Where it is everything there is no border, and the piece itself is returned.
    """
    if not region.any():
        return ground.copy()
    if region.all():
        return piece.copy()
    matrix, right = _equations(ground.astype(np.float64), piece.astype(np.float64), region)
    result = ground.copy()
    result[region] = _solved(matrix, right, piece[region])
    return result


def _equations(ground: NDArray[Any], piece: NDArray[Any], region: NDArray[np.bool_]) -> tuple[Any, NDArray[Any]]:
    """Return the matrix ``(N, N)`` and right-hand sides ``(N, C)`` of the pixels of the region in reading order."""
    from scipy import sparse

    count = int(np.count_nonzero(region))
    number = np.full(region.shape, -1)
    number[region] = np.arange(count)
    diagonal, right = np.zeros(count), np.zeros((count, ground.shape[2]))
    rows, columns = [], []
    for here, there in _neighbours():
        wanted = region[here]
        own, other = number[here][wanted], number[there][wanted]
        diagonal[own] += 1  # every pixel occurs once in each direction
        right[own] += piece[here][wanted] - piece[there][wanted]
        fixed = other < 0
        right[own[fixed]] += ground[there][wanted][fixed]
        rows.append(own[~fixed])
        columns.append(other[~fixed])
    row, column = np.concatenate(rows), np.concatenate(columns)
    links = sparse.coo_array((np.full(len(row), -1.0), (row, column)), shape=(count, count))
    return (links + sparse.diags_array(diagonal)).tocsc(), right


def _neighbours() -> list[tuple[tuple[slice, slice], tuple[slice, slice]]]:
    """Return for each direction the pixels that have a neighbour there, and these neighbours."""
    whole, first, last = slice(None), slice(None, -1), slice(1, None)
    down, right = ((first, whole), (last, whole)), ((whole, first), (whole, last))
    return [down, (down[1], down[0]), right, (right[1], right[0])]


def _solved(matrix: Any, right: NDArray[Any], start: NDArray[Any]) -> NDArray[Any]:
    from scipy.sparse import linalg

    if matrix.shape[0] <= _DIRECT:
        solution: NDArray[Any] = linalg.splu(matrix, permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True}).solve(
            right
        )
        return solution
    steps = 20 * int(np.sqrt(matrix.shape[0]))
    found = [linalg.cg(matrix, right[:, c], start[:, c], rtol=1e-6, maxiter=steps)[0] for c in range(right.shape[1])]
    return np.stack(found, 1)
