"""How long a batch is said to take."""

import numpy as np
import pytest
from PIL import Image

from napari_mpseg.batch import estimate
from napari_mpseg.batch.plan import plan_batch
from napari_mpseg.batch.settings import BatchSettings
from napari_mpseg.inference.runtimes import choice


@pytest.fixture
def trial(tmp_path, monkeypatch):
    """Estimate for images of a size, with a clock that goes on by 1 s and 1 us per pixel with each trial."""

    def estimate_for(side, images, **settings):
        now, asked = [0.0], []

        def segment(piece, *given, **more):
            asked.append(more)
            now[0] += 1 + 1e-6 * piece.shape[0] * piece.shape[1]

        monkeypatch.setattr("napari_mpseg.pipeline.segment", segment)
        monkeypatch.setattr(estimate, "monotonic", lambda: now[0])
        for number in range(images):
            Image.fromarray(np.zeros((side, side, 3), np.uint8)).save(tmp_path / f"a_{number}.png")
        told = BatchSettings(device="cpu", parallel="chunks", **settings)
        plan = plan_batch(tmp_path / "*.png", tmp_path / "out", told)
        return estimate.estimate_seconds(plan, told, tmp_path / "out"), asked

    return estimate_for


def test_the_trial_is_computed_as_the_whole_image_would_be(trial, monkeypatch):
    sizes = []

    def choose(name, *given, pixels, **more):
        sizes.append(pixels)
        return choice.Choice("torch-bf16", 512)

    monkeypatch.setattr(choice, "choose_runtime", choose)
    _, asked = trial(2100, 1)
    assert sizes == [2100 * 2100]
    assert {one["runtime"] for one in asked} == {"torch-bf16"}


def test_a_runtime_that_was_asked_for_is_used(trial):
    _, asked = trial(64, 1, runtime="torch-fp32")
    assert {one["runtime"] for one in asked} == {"torch-fp32"}


def test_what_every_image_takes_counts_once_for_each(trial):
    seconds, _ = trial(1200, 2)
    assert seconds == pytest.approx(2 * (1 + 1.44))


def test_small_images_are_tried_as_they_are(trial):
    seconds, _ = trial(64, 3)
    assert seconds == pytest.approx(3 * (1 + 64 * 64 * 1e-6))
