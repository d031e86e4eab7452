"""Methods whose truth is known, and the two ways to run them: into a store, and through the front door."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import cloudpickle
import numpy as np
import pytest

from napari_mpseg.calibration import Calibration
from napari_mpseg.images.image import Image
from napari_mpseg.inference.mask_settings import MaskSettings
from napari_mpseg.inference.predictor import Prepared
from napari_mpseg.inference.segmentation import segment_tiles
from napari_mpseg.inference.store import create_store, open_store
from napari_mpseg.progress import CancelToken, silent

SOURCE = Path(__file__).with_name("identity.py")


@pytest.fixture(scope="session")
def identity():
    """The module of predictors that know the truth; its classes travel to other processes with their code."""
    spec = spec_from_file_location("mpseg_identity", SOURCE)
    module = sys.modules["mpseg_identity"] = module_from_spec(spec)
    spec.loader.exec_module(module)
    cloudpickle.register_pickle_by_value(module)
    return module


@pytest.fixture(scope="session")
def labels_of(tmp_path_factory):
    """Run a predictor on an image, and return the stored labels."""

    def run(pixels, predictor, tile, *, min_size=0, connectivity=2, scheduler=None, threshold=0.5):
        place = tmp_path_factory.mktemp("store") / "a.ome.zarr"
        image = Image(np.asarray(pixels))
        create_store(place, image.shape, tile, Calibration(), "a")
        found = segment_tiles(
            Prepared(image, predictor),
            place,
            MaskSettings(threshold, min_size, connectivity),
            tile_size=tile,
            scheduler=scheduler,
            on_progress=silent,
            cancel=CancelToken(),
        )
        labels = np.asarray(open_store(place).labels)
        assert labels.max() == found.count
        assert [path.name for path in place.parent.iterdir()] == ["a.ome.zarr"], "something was left behind"
        return labels

    return run
