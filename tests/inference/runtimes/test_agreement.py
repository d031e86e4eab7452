"""Every runtime gives what PyTorch gives in 32 bit, whatever the window."""

import numpy as np
import pytest
import torch

from napari_mpseg.inference.runtimes import RUNTIMES
from napari_mpseg.inference.runtimes.folding import folded
from napari_mpseg.networks.local_contrast import LocalContrast

CPU = torch.device("cpu")
MARGINS = [(0, 0, 0, 0), (16, 16, 16, 16), (0, 16, 16, 16), (20, 16, 18, 0), (16, 18, 20, 22)]


@pytest.fixture(params=list(RUNTIMES))
def entry(request):
    entry = RUNTIMES[request.param]
    reason = entry.available(CPU)
    if reason is not None:
        pytest.skip(reason)
    if entry.samples:
        pytest.skip("it is fitted to an image; see test_quantised")
    return entry


def tolerance(entry):
    """Largest difference: 0.07 was seen in 16 bit, as a network that spreads its logits makes the most of rounding."""
    return 1e-5 if entry.full_precision else 0.1


def expected(network, batch, margins):
    with torch.inference_mode():
        whole = torch.sigmoid(network(torch.from_numpy(batch)))[:, 0].numpy()
    top, bottom, left, right = margins
    return whole[:, top : whole.shape[1] - bottom, left : whole.shape[2] - right]


def test_windows_inside_and_at_the_border_give_what_the_network_gives(entry, layered, rng):
    network, radius = layered
    assert 12 <= radius <= 16
    running = entry.build(folded(network), CPU, radius)
    for shape in ((60, 64), (54, 70), (2, 4)):
        batch = rng.random((2, 3, *shape), dtype=np.float32)
        for margins in MARGINS if min(shape) > 50 else MARGINS[:1]:
            want = expected(network, batch, margins)
            found = running(batch, margins)
            assert found.dtype == np.float32
            np.testing.assert_allclose(found, want, atol=tolerance(entry))
            assert np.abs(found - want).mean() < 0.02
            assert want.std() > 0.05


def test_a_network_that_knows_no_margins_is_cut(entry, plain, rng):
    batch = rng.random((1, 3, 40, 44), dtype=np.float32)
    found = entry.build(folded(plain), CPU, 3)(batch, (4, 0, 6, 8))
    np.testing.assert_allclose(found, expected(plain, batch, (4, 0, 6, 8)), atol=tolerance(entry))


def test_contrast_to_the_surroundings_is_taken_in_32_bit(entry, plain, rng):
    network = LocalContrast(plain, 4).eval()
    # on a bright, even ground, squares in short numbers leave nothing but rounding
    batch = (0.8 + 0.02 * rng.random((1, 3, 40, 44))).astype(np.float32)
    found = entry.build(folded(network), CPU, 7)(batch)
    np.testing.assert_allclose(found, expected(network, batch, (0, 0, 0, 0)), atol=tolerance(entry))


def test_threads_are_those_of_torch_and_follow_them(entry, plain, rng):
    batch = rng.random((1, 3, 40, 44), dtype=np.float32)
    running = entry.build(folded(plain), CPU, 3)
    first = running(batch)
    before = torch.get_num_threads()
    torch.set_num_threads(before + 1)
    try:
        np.testing.assert_allclose(running(batch), first, atol=tolerance(entry))
        assert getattr(running, "_threads", before + 1) == before + 1
    finally:
        torch.set_num_threads(before)


def test_nothing_is_reported_to_the_makers_of_openvino():
    pytest.importorskip("openvino_telemetry")
    import subprocess
    import sys

    code = (
        "from napari_mpseg.inference.runtimes.compiled_openvino import library; import sys; library(); "
        "print(*(name for name in sys.modules if 'telemetry' in name and sys.modules[name].__file__ "
        "and 'openvino_telemetry' in sys.modules[name].__file__))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == ""
