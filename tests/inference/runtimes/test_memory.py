"""Where memory runs out, windows are halved, and nothing else changes."""

import pickle

import numpy as np
import pytest
import torch

from napari_mpseg.errors import MpsegError, SettingsError
from napari_mpseg.images.scaling import Scaling
from napari_mpseg.inference.runtime import NetworkPredictor, device_for_worker
from napari_mpseg.inference.runtimes.batching import Batches
from napari_mpseg.inference.runtimes.eager import EagerNetwork

CPU = torch.device("cpu")
RADIUS = 4  # two convolutions, and a pooling between them
SCALING = Scaling("dtype", 0, 1)
ERRORS = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB"),
    MemoryError(),
    RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory: you tried 9 bytes"),
    RuntimeError("Exception from src/inference: std::bad_alloc"),
]


class Tight:
    """Runs a network, and refuses batches of more pixels than there is room for."""

    def __init__(self, network, most, error=ERRORS[0]):
        self.inner, self.most, self.error, self.seen = EagerNetwork(network, CPU), most, error, []

    def __call__(self, batch, margins=(0, 0, 0, 0)):
        self.seen.append(batch.shape)
        if batch.shape[0] * batch.shape[2] * batch.shape[3] > self.most:
            raise self.error
        return self.inner(batch, margins)


@pytest.fixture
def tight(plain, runtimes):
    """Return a predictor whose memory holds so many pixels, the same without limit, and what counts the calls."""

    def make(most, error=ERRORS[0], radius=RADIUS):
        limited = Tight(plain, most, error)
        runtimes(torch_fp32=EagerNetwork(plain, CPU), tight=limited)
        arguments = plain, SCALING, radius, CPU
        return NetworkPredictor(*arguments, runtime="tight"), NetworkPredictor(*arguments), limited

    return make


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: str(error)[:20] or type(error).__name__)
@pytest.mark.parametrize("margins", [(0, 0, 0, 0), (12, 12, 12, 12), (0, 12, 14, 0)])
def test_halved_windows_give_the_same(tight, image, error, margins):
    limited, free, _ = tight(1600, error)
    np.testing.assert_allclose(limited.predict(image, margins), free.predict(image, margins), atol=1e-6)


def test_what_did_not_fit_once_is_halved_at_once_afterwards(tight, image):
    limited, _, calls = tight(3000)
    limited.predict(image)
    assert any(height * width > 3000 for _, _, height, width in calls.seen)
    calls.seen.clear()
    limited.predict(image)
    assert calls.seen
    assert all(height * width <= 3000 for _, _, height, width in calls.seen)


def test_windows_of_networks_that_see_far_are_cross_faded(tight, rng):
    image = rng.random((16, 720, 3), dtype=np.float32)  # more than twice the halo of 128 px
    limited, free, _ = tight(700 * 16, radius=None)
    np.testing.assert_allclose(limited.predict(image), free.predict(image), atol=1e-5)


def test_no_room_for_anything_is_told(tight, image):
    limited, _, _ = tight(10)
    with pytest.raises(MpsegError, match="Not enough memory for a window"):
        limited.predict(image)


def test_other_errors_are_not_hidden(tight, image):
    limited, _, _ = tight(10, RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="mat1"):
        limited.predict(image)


def test_batches_are_as_large_as_the_memory_allows(plain, rng):
    running = Tight(plain, 4 * 40 * 40)
    windows = list(rng.random((11, 40, 40, 3), dtype=np.float32))

    def too_hopeful(running, batch, margins):
        return running(batch, margins), 8

    batches = Batches(running, CPU, too_hopeful)
    found = batches(windows, (12, 12, 12, 12))
    assert [shape[0] for shape in running.seen] == [1, 8, 4, 4, 2]
    assert len(found) == 11
    for window, answer in zip(windows, found, strict=True):
        alone = running.inner(window[None].transpose(0, 3, 1, 2), (12, 12, 12, 12))[0]
        np.testing.assert_allclose(answer, alone, atol=1e-6)


def test_many_windows_are_split_where_not_even_one_fits(tight, rng):
    limited, free, _ = tight(1500)
    windows = list(rng.random((3, 64, 40, 3), dtype=np.float32))
    for window, answer in zip(windows, limited.predict_many(windows), strict=True):
        np.testing.assert_allclose(answer, free.predict(window), atol=1e-6)
    assert limited.predict_many([]) == []


def test_predictors_travel_to_other_processes_without_what_was_made_there(plain, image):
    predictor = NetworkPredictor(plain, SCALING, 3, CPU)
    expected = predictor.predict(image)
    content = pickle.dumps(predictor)
    assert len(content) < 20_000
    again = pickle.loads(content)
    assert not vars(again._running)
    assert (again.halo, again.stride, again.exact, again.runtime_name) == (3, 2, True, "torch-fp32")
    np.testing.assert_array_equal(again.predict(image), expected)


def test_workers_share_out_the_graphics_cards(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    cuda = torch.device("cuda")
    assert [str(device_for_worker(cuda, number)) for number in range(4)] == ["cuda:0", "cuda:1", "cuda:0", "cuda:1"]
    assert device_for_worker(cuda, None) == cuda
    assert str(device_for_worker(torch.device("cuda:1"), 0)) == "cuda:1"
    assert device_for_worker(CPU, 3) == CPU
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(SettingsError, match="'cuda' is not on this machine"):
        device_for_worker(cuda, 0)
