"""Evidence against SciPy's figures, by parts and as a whole, and stored."""

import json

import dask.array as da
import numpy as np
import pytest
import zarr
from scipy import ndimage

from napari_mpseg.errors import Cancelled, ImageError, SettingsError
from napari_mpseg.evaluation import Evidence, gather_evidence, pairs
from napari_mpseg.progress import CancelToken

CORNERS = np.ones((3, 3))


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr(pairs, "_PART", 16)


def test_particles_and_overlaps_equal_scipy(make_pair):
    probability, predicted, truth = make_pair()
    evidence = gather_evidence(predicted, truth, probability=probability, min_size=4)
    particles = evidence.particles
    for labels, found, areas, centres in (
        (truth, particles.truth_labels, particles.truth_areas, particles.truth_centres),
        (predicted, particles.predicted_labels, particles.predicted_areas, particles.predicted_centres),
    ):
        sizes = ndimage.sum_labels(labels > 0, labels, np.arange(labels.max() + 1))
        expected = np.flatnonzero(sizes >= 4)
        assert found.tolist() == expected.tolist()
        assert areas.tolist() == sizes[expected].tolist()
        np.testing.assert_allclose(centres, ndimage.center_of_mass(labels > 0, labels, expected))
    scores = ndimage.mean(probability / 255, predicted, particles.predicted_labels)
    np.testing.assert_allclose(particles.scores, scores)
    for i, j, pixels in zip(particles.pair_truth, particles.pair_predicted, particles.pair_pixels, strict=True):
        both = (truth == particles.truth_labels[i]) & (predicted == particles.predicted_labels[j])
        assert pixels == both.sum() > 0
    large_truth = np.isin(truth, particles.truth_labels)
    large_predicted = np.isin(predicted, particles.predicted_labels)
    assert particles.pair_pixels.sum() == (large_truth & large_predicted).sum()
    assert particles.small_pair_pixels.sum() == ((truth > 0) & ~large_truth & large_predicted).sum()


def test_levels_count_every_pixel(make_pair):
    probability, predicted, truth = make_pair()
    levels = gather_evidence(predicted, truth, probability=probability).levels
    assert levels.shape == (2, 256)
    assert levels[1, 200] == ((probability == 200) & (truth > 0)).sum()
    assert levels[0, 0] == ((probability == 0) & (truth == 0)).sum()
    assert levels.sum() == truth.size


def test_a_probability_in_floating_point_is_rounded_as_stored(make_pair):
    probability, predicted, truth = make_pair()
    whole = gather_evidence(predicted, truth, probability=probability)
    again = gather_evidence(predicted, truth, probability=probability.astype(np.float32) / 255)
    assert again.to_dict() == whole.to_dict()


@pytest.mark.parametrize("as_mask", [False, True])
@pytest.mark.parametrize("lazy", ["numpy", "dask", "zarr"])
def test_parts_make_no_difference(make_pair, small_parts, monkeypatch, as_mask, lazy):
    probability, predicted, truth = make_pair((75, 90))
    if as_mask:
        predicted, truth = np.uint8(predicted > 0) * 255, truth > 0
    by_parts = gather_evidence(*(_stored(array, lazy) for array in (predicted, truth)), probability=probability)
    monkeypatch.setattr(pairs, "_PART", 2048)
    assert by_parts.to_dict() == gather_evidence(predicted, truth, probability=probability).to_dict()


def _stored(array, kind):
    if kind == "dask":
        return da.from_array(array, chunks=(20, 33))
    if kind == "zarr":
        store = zarr.create_array({}, shape=array.shape, chunks=(12, 30), dtype=array.dtype)
        store[:] = array
        return store
    return array


def test_a_mask_gives_the_same_as_its_labels(make_pair):
    _, predicted, truth = make_pair()
    assert gather_evidence(predicted > 0, truth > 0).to_dict() == gather_evidence(predicted, truth).to_dict()


@pytest.mark.parametrize("connectivity", [1, 2])
@pytest.mark.parametrize("lazy", ["no", "dask"])
def test_the_pieces_of_masks_are_those_of_the_neighbours_asked_for(rng, connectivity, lazy, small_parts):
    predicted, truth = rng.random((2, 50, 61)) < 0.4
    evidence = gather_evidence(
        *(_stored(array, lazy) for array in (predicted, truth)), min_size=1, connectivity=connectivity
    )
    for found, mask in ((evidence.n_predicted, predicted), (evidence.n_truth, truth)):
        assert found == ndimage.label(mask, CORNERS if connectivity == 2 else None)[1]


def test_labels_may_have_gaps_and_be_large(make_pair):
    _, predicted, truth = make_pair()
    spread = np.where(predicted, predicted.astype(np.int64) * 10**12, 0)
    plain, wide = gather_evidence(predicted, truth), gather_evidence(spread, truth)
    assert (wide.particles.predicted_labels == plain.particles.predicted_labels * 10**12).all()
    assert wide.particles.pair_pixels.tolist() == plain.particles.pair_pixels.tolist()


def test_evidence_survives_json(several):
    for evidence in several:
        again = Evidence.from_dict(json.loads(json.dumps(evidence.to_dict())))
        assert again.to_dict() == evidence.to_dict()
        assert again.particles.truth_centres.shape == (evidence.n_truth, 2)
        assert again.pixels == evidence.pixels


@pytest.mark.parametrize(
    "spoil",
    [
        lambda plain: plain.pop("levels"),
        lambda plain: plain.update(more=1),
        lambda plain: plain.update(levels=[[1, 2]]),
        lambda plain: plain["particles"].pop("scores"),
        lambda plain: plain["particles"].update(scores="many"),
        lambda plain: plain["pixels"].update(tp=0.5),
    ],
)
def test_what_is_no_stored_evidence_is_refused(several, spoil):
    plain = several[0].to_dict()
    spoil(plain)
    with pytest.raises(SettingsError):
        Evidence.from_dict(plain)


@pytest.mark.parametrize(
    ("arguments", "error", "told"),
    [
        ({"probability": np.zeros((2, 3), np.uint8)}, ImageError, r"\(2, 3\)"),
        ({"probability": np.zeros((4, 5), np.int32)}, ImageError, "int32"),
        ({"probability": np.full((4, 5), 2.0)}, ImageError, "2 to 2"),
        ({"probability": np.full((4, 5), np.nan)}, ImageError, "nan"),
        ({"min_size": 0}, SettingsError, "min_size 0"),
        ({"connectivity": 8}, SettingsError, "Connectivity 8"),
    ],
)
def test_what_cannot_be_compared_is_told(arguments, error, told):
    with pytest.raises(error, match=told):
        gather_evidence(np.zeros((4, 5), bool), np.zeros((4, 5), bool), **arguments)


def test_it_tells_how_far_it_is_and_can_be_stopped(make_pair, small_parts):
    _, predicted, truth = make_pair()
    events, cancel = [], CancelToken()
    gather_evidence(predicted, truth, on_progress=events.append)
    assert events[-1].fraction == 1
    with pytest.raises(Cancelled):
        gather_evidence(predicted, truth, cancel=cancel, on_progress=lambda event: cancel.cancel())
