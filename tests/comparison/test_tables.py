"""The tables of a comparison: order and units of columns, and what is said of them."""

import numpy as np
import pytest

from napari_mpseg.comparison import LabelsContender, compare
from napari_mpseg.comparison.comparison import COLUMNS
from napari_mpseg.comparison.tables import unit_of
from napari_mpseg.evaluation.metric_sets import DEFAULT_METRICS, WITH_PROBABILITY


def compared(truth, pixel_size_um=None, **options):
    """Compare labels of one particle of 4 x 4 px."""
    from napari_mpseg.calibration import Calibration
    from napari_mpseg.images.open import open_image

    found = np.zeros((40, 40), np.int32)
    found[5:9, 5:9] = 1
    image = open_image(np.zeros((40, 40), np.uint8))
    if pixel_size_um:
        image = image.with_calibration(Calibration((pixel_size_um, pixel_size_um), "um"))
    return compare([(image, truth, "a")], [LabelsContender("hand", {"a": found})], **options)


@pytest.fixture
def truth():
    """One particle of 8 x 8 px."""
    truth = np.zeros((40, 40), np.uint8)
    truth[5:13, 5:13] = 1
    return truth


def test_what_tells_most_comes_first():
    assert COLUMNS[0] == "f1"
    assert COLUMNS[-1] == "balanced-accuracy"  # near 1 for all
    assert sorted(COLUMNS) == sorted((*DEFAULT_METRICS, *WITH_PROBABILITY))


@pytest.mark.parametrize(("pixel", "unit"), [(None, " (px)"), (2.5, " (µm)")])
def test_lengths_have_their_unit(truth, pixel, unit):
    done = compared(truth, pixel, metrics=["f1", "size-wasserstein"])
    f1, distance = done.metrics
    assert (unit_of(done, f1), unit_of(done, distance)) == ("", unit)
    assert done.to_markdown().splitlines()[0] == f"| method | F1 | size distance{unit} |"
    # equivalent diameters 2 a / sqrt(pi) of squares of 4 and 8 px
    assert done.score("hand", distance).total == pytest.approx((8 - 4) * 2 / np.sqrt(np.pi) * (pixel or 1))


@pytest.mark.parametrize("particle_value", [None, 0])
def test_an_inverted_truth_is_a_note(truth, particle_value):
    mask = np.where(truth, 0, 255).astype(np.uint8)
    notes = [note for note in compared(mask, particle_value=particle_value).notes if "wrong way round" in note]
    if particle_value is None:
        assert len(notes) == 1
        assert "truth of a, 96%" in notes[0]  # (1600 - 64) / 1600
    else:
        assert not notes
