"""What JPEG compression leaves in a picture, without a codec, so that the bytes do not depend on a library."""

import functools

import numpy as np
from numpy.typing import NDArray

# Example quantisation tables of ISO/IEC 10918-1 (ITU-T T.81), annex K.
_LUMINANCE = """
16 11 10 16 24 40 51 61 12 12 14 19 26 58 60 55 14 13 16 24 40 57 69 56 14 17 22 29 51 87 80 62
18 22 37 56 68 109 103 77 24 35 55 64 81 104 113 92 49 64 78 87 103 121 120 101 72 92 95 98 112 100 103 99
"""
_CHROMINANCE = """
17 18 24 47 99 99 99 99 18 21 26 66 99 99 99 99 24 26 56 99 99 99 99 99 47 66 99 99 99 99 99 99
99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99
"""
_FULL_CHROMA = 90
_TO_YCC = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], np.float32)
_TO_RGB = np.array([[1, 0, 1.402], [1, -0.344136, -0.714136], [1, 1.772, 0]], np.float32)


@functools.cache
def _table(text: str, quality: int) -> NDArray[np.float32]:
    """Scale a table as the Independent JPEG Group does."""
    scale = 5000 / quality if quality < 50 else 200 - 2 * quality
    base = np.array(text.split(), np.float64).reshape(8, 8)
    return np.clip(np.floor((base * scale + 50) / 100), 1, 255).astype(np.float32)


@functools.cache
def _cosines() -> NDArray[np.float32]:
    """Return the orthonormal 8-point DCT-II matrix."""
    k, n = np.mgrid[:8, :8]
    matrix = np.cos(np.pi * (2 * n + 1) * k / 16) / 2
    matrix[0] /= np.sqrt(2)
    return np.asarray(matrix, np.float32)


def _quantised(plane: NDArray[np.float32], table: NDArray[np.float32]) -> NDArray[np.float32]:
    height, width = plane.shape
    cosines = _cosines()
    # Plain loops (einsum), not BLAS: see napari_mpseg.synthesis.fields.separable.
    spectrum = np.einsum("kn,ynx->ykx", cosines, plane.reshape(height // 8, 8, width)).reshape(height, width // 8, 8)
    spectrum = np.einsum("yxn,kn->yxk", spectrum, cosines).reshape(height // 8, 8, width // 8, 8)
    spectrum = np.round(spectrum / table[:, None]) * table[:, None]
    plane = np.einsum("yxk,kn->yxn", spectrum.reshape(height, width // 8, 8), cosines).reshape(height // 8, 8, width)
    return np.asarray(np.einsum("kn,ykx->ynx", cosines, plane).reshape(height, width), np.float32)


def compressed(rgb: NDArray[np.float32], quality: int) -> NDArray[np.float32]:
    """Return a colour picture as it comes back from a baseline JPEG file.

    Chroma is halved in height and width below quality 90, as cameras and programs commonly do.

    Parameters
    ----------
    rgb : ndarray of float32
        ``(Y, X, 3)``, 0 to 255, height and width multiples of 16.
    quality : int
        1 to 100.

    Returns
    -------
    ndarray of float32
        ``(Y, X, 3)``, not rounded or clipped.
    """
    planes = np.einsum("yxc,pc->yxp", rgb, _TO_YCC)
    planes[..., 0] = _quantised(planes[..., 0] - 128, _table(_LUMINANCE, quality)) + 128
    for channel in (1, 2):
        full = planes[..., channel]
        if quality >= _FULL_CHROMA:
            planes[..., channel] = _quantised(full, _table(_CHROMINANCE, quality))
        else:
            small = (full[::2, ::2] + full[1::2, ::2] + full[::2, 1::2] + full[1::2, 1::2]) / 4
            planes[..., channel] = _quantised(small, _table(_CHROMINANCE, quality)).repeat(2, 0).repeat(2, 1)
    return np.asarray(np.einsum("yxp,cp->yxc", planes, _TO_RGB), np.float32)
