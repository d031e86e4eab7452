"""ROIs, written, read by roifile and filled again, are the particles' pixels."""

import zipfile

import numpy as np
import pandas as pd
import pytest
from matplotlib.path import Path

from napari_mpseg.errors import Cancelled, MpsegError, SettingsError
from napari_mpseg.exchange import rois
from napari_mpseg.exchange.formats import EXPORTS, ExportSource
from napari_mpseg.particles.table import ParticleTable
from napari_mpseg.progress import CancelToken

roifile = pytest.importorskip("roifile")


def bare(labels):
    return ParticleTable(pd.DataFrame({"label": np.unique(labels[labels > 0]).astype("int64")}))


def write(table, labels, folder, **more):
    notes = EXPORTS["imagej-rois"].write(ExportSource(table, labels, **more), folder / "rois.zip")
    return roifile.roiread(folder / "rois.zip"), notes


def filled(roi, shape):
    """Fill a ROI as ImageJ does: where the centre of a pixel is inside, by the even-odd rule."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    centres = np.stack([x.ravel() + 0.5, y.ravel() + 0.5], 1)
    inside = np.zeros(len(centres), bool)
    loops = roi.coordinates(multi=True)
    for loop in loops if isinstance(loops, list) else [loops]:
        inside ^= Path(np.concatenate([loop, loop[:1]])).contains_points(centres)
    return inside.reshape(shape)


def test_each_particle_is_a_roi_of_its_own_pixels(labels, tmp_path):
    found, notes = write(bare(labels), labels, tmp_path)
    assert [roi.name for roi in found] == ["3", "5", "8", "9", "12"]
    with zipfile.ZipFile(tmp_path / "rois.zip") as archive:
        assert archive.namelist() == ["3.roi", "5.roi", "8.roi", "9.roi", "12.roi"]
    for roi in found:
        np.testing.assert_array_equal(filled(roi, labels.shape), labels == int(roi.name))
    # the ring and the two pieces need more than one outline
    assert [roi.composite for roi in found] == [False, True, True, False, False]
    assert [roi.roitype for roi in found if not roi.composite] == [roifile.ROI_TYPE.TRACED] * 3
    assert notes == ["2 of 5 ROIs have holes or several pieces and are composite ROIs in ImageJ."]
    assert [(roi.left, roi.top, roi.right, roi.bottom) for roi in found][1] == (4, 4, 9, 9)


@pytest.mark.parametrize("seed", range(4))
def test_any_labels(seed, tmp_path):
    labels = np.random.default_rng(seed).integers(0, 5, (15, 18))
    for roi in write(bare(labels), labels, tmp_path)[0]:
        np.testing.assert_array_equal(filled(roi, labels.shape), labels == int(roi.name))


def test_only_particles_of_the_table(labels, table, tmp_path):
    assert [roi.name for roi in write(table.kept(), labels, tmp_path)[0]] == ["3", "5", "9", "12"]


def test_a_table_of_other_labels_is_refused(labels, table, tmp_path):
    labels[labels == 9] = 0
    with pytest.raises(SettingsError, match="1 of the table's 5 particles are not in the labels"):
        write(table, labels, tmp_path)


def test_planes_are_positions_in_the_stack(tmp_path):
    labels = np.zeros((2, 2, 4, 4), int)
    labels[0, 1, :2, :2], labels[1, 0, 2:, 2:] = 1, 2
    table = bare(labels)
    table = table.with_columns(plane=[1, 2])
    found, _ = write(table, labels, tmp_path)
    assert [(roi.name, roi.position) for roi in found] == [("1", 2), ("2", 3)]
    np.testing.assert_array_equal(filled(found[1], (4, 4)), labels[1, 0] == 2)


@pytest.mark.parametrize("far", [40_000, 70_000])
def test_far_to_the_right_of_a_wide_image(far, tmp_path):
    labels = np.zeros((3, far + 5), np.uint8)
    labels[1, far : far + 3] = 1
    (roi,) = write(bare(labels), labels, tmp_path)[0]
    expected = [(far, 1), (far + 3, 1), (far + 3, 2), (far, 2)]
    assert [tuple(map(int, point)) for point in roi.coordinates()] == expected


def test_the_same_particles_are_the_same_file(labels, tmp_path):
    write(bare(labels), labels, tmp_path)
    first = (tmp_path / "rois.zip").read_bytes()
    write(bare(labels), labels, tmp_path)
    assert (tmp_path / "rois.zip").read_bytes() == first


def test_no_particles(tmp_path):
    labels = np.zeros((5, 5), int)
    assert write(bare(labels), labels, tmp_path) == ([], [])


def test_it_can_be_cancelled(labels, tmp_path):
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        write(bare(labels), labels, tmp_path, cancel=token)


def test_without_the_library_the_way_to_get_it_is_said(monkeypatch):
    monkeypatch.setattr(rois, "find_spec", lambda name: None)
    with pytest.raises(MpsegError, match=r'pip install "napari-mpseg\[imagej\]"'):
        EXPORTS["imagej-rois"].check()
