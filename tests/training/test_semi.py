"""Semi-synthetic images as training takes them: a sequence, a data set, a folder, a zarr."""

import json
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from napari_mpseg.errors import Cancelled, ImageError, SettingsError, StoreError
from napari_mpseg.progress import CancelToken
from napari_mpseg.settings import from_dict
from napari_mpseg.synthesis.semi import CutoutSettings, SemiSettings, cut_out, save_cutouts
from napari_mpseg.training.data.pairs import LabelledImage, load_folder
from napari_mpseg.training.data.semi import from_labelled, semi_synthetic_images
from napari_mpseg.training.data.semi_sources import background_images, labelled_images, sources_of
from napari_mpseg.training.data.semi_writing import StoredImages, write_pairs, write_zarr

SETTINGS = SemiSettings(size=(64, 72), particles=(2, 4), occlusion=0.3)


@pytest.fixture
def field(rng):
    """Return an image of 100 x 110 px with three discs, one of which the border cuts, and its numbers."""
    image = rng.normal(60, 4, (100, 110, 3)).clip(0, 255).astype(np.uint8)
    labels = np.zeros((100, 110), np.int32)
    y, x = np.mgrid[:100, :110]
    for number, (row, column, radius) in enumerate([(20, 20, 5), (60, 60, 7), (98, 100, 6)], 1):
        own = (y - row) ** 2 + (x - column) ** 2 <= radius**2
        labels[own] = number
        image[own] = (50 * number, 120, 220)
    return LabelledImage("field", image, labels > 0, None, labels)


@pytest.fixture
def images(field):
    return from_labelled([field], SETTINGS, 6)


def same(a, b):
    np.testing.assert_array_equal(np.asarray(a.image[:, :]), np.asarray(b.image[:, :]))
    np.testing.assert_array_equal(a.mask, b.mask)
    np.testing.assert_array_equal(a.instances, b.instances)


def test_it_is_a_sequence_of_labelled_images(images):
    assert len(images) == 6
    assert len(list(images)) == 6
    assert [pair.name for pair in images[1:3]] == ["semi/0-1", "semi/0-2"]
    assert images[-1].name == "semi/0-5"
    with pytest.raises(IndexError):
        images[6]
    one = images[0]
    assert isinstance(one, LabelledImage)
    assert one.image.shape == (64, 72, 3)
    np.testing.assert_array_equal(one.mask, one.instances > 0)


def test_pixels_that_were_dropped_are_made_again_the_same(field):
    kept, dropped = (from_labelled([field], SETTINGS, 5, memory=memory) for memory in (1 << 30, 0))
    held = list(dropped)
    for old, new in zip(list(kept), held, strict=True):
        same(old, new)
    assert len(dropped._kept) == 1


def test_the_memory_bound_counts_masks_and_instances(field):
    one = from_labelled([field], SETTINGS, 1).composition(0)
    each = one.image.nbytes + one.mask.nbytes + one.instances.nbytes
    assert each > 2 * one.image.nbytes
    made = from_labelled([field], SETTINGS, 5, memory=3 * each)
    for index in range(5):
        made.composition(index)
    assert list(made._kept) == [2, 3, 4]


def test_another_process_and_other_threads_make_the_same(images):
    copy = pickle.loads(pickle.dumps(images))
    with ThreadPoolExecutor(4) as pool:
        for index, made in zip((5, 3, 1, 0), pool.map(images.__getitem__, (5, 3, 1, 0)), strict=True):
            same(made, copy[index])


def test_training_images_give_particles_and_backgrounds(field):
    made = from_labelled([field], SETTINGS, 2)
    assert [cutout.source for cutout in made.cutouts] == ["field 1", "field 2"]  # whole ones only
    only_cut = LabelledImage("cut", field.image, field.instances == 3)
    assert len(from_labelled([only_cut], SETTINGS, 1).cutouts) == 1  # better than nothing
    with pytest.raises(ImageError, match="holds no particle"):
        from_labelled([LabelledImage("e", field.image, np.zeros((100, 110), bool))], SETTINGS, 1)
    with pytest.raises(SettingsError, match="1 or more"):
        semi_synthetic_images(made.cutouts, [field], SETTINGS, 0)


def test_samplers_take_them(images):
    from napari_mpseg.training.patches.sampling import SAMPLERS
    from napari_mpseg.training.settings import PatchSettings, TrainSettings

    settings = TrainSettings(patches=PatchSettings(size=32, per_epoch=4), batch=2)
    for name in ("around-particles", "sliding"):
        sampler = SAMPLERS[name](images, (), settings, np.random.default_rng(0))
        batch = next(iter(sampler.epoch()))
        assert batch.images.shape[1:] == (3, 32, 32)
        assert set(np.unique(batch.targets)) <= {0.0, 1.0}


def test_a_folder_is_read_back_as_it_was_made(tmp_path, images):
    folder = write_pairs(images, tmp_path / "made")
    again = load_folder(folder)
    assert len(again) == 6
    for old, new in zip(images, again, strict=True):
        same(old, new)
    record = json.loads((folder / "semi_synthetic.json").read_text())
    assert from_dict(SemiSettings, record["settings"]) == SETTINGS
    assert [entry["count"] for entry in record["images"]] == [int(pair.instances.max()) for pair in images]
    first = record["images"][0]["particles"][0]
    assert set(first) == {"number", "box", "area", "hidden", "source"}


def test_what_is_not_known_is_not_written_as_background(tmp_path, field):
    known = np.zeros(field.mask.shape, bool)
    known[:40] = True
    painted = LabelledImage("painted", field.image, field.mask, known, field.instances)
    made = from_labelled([painted], SETTINGS, 2, cutting=CutoutSettings(whole=False))
    with pytest.raises(ImageError, match="known in part only"):
        write_pairs(made, tmp_path / "made")
    assert not (tmp_path / "made").exists()
    again = StoredImages(write_zarr(made, tmp_path / "made.zarr"))
    assert any(pair.known is not None for pair in again)
    for old, new in zip(made, again, strict=True):
        expected = np.ones(old.mask.shape, bool) if old.known is None else old.known
        np.testing.assert_array_equal(np.ones_like(expected) if new.known is None else new.known, expected)


def test_grey_images_stay_grey(tmp_path, field):
    grey = LabelledImage("grey", field.image[..., :1], field.mask)
    folder = write_pairs(from_labelled([grey], SETTINGS, 2), tmp_path / "made")
    assert load_folder(folder)[0].image.shape == (64, 72, 1)


def test_a_zarr_is_read_back_as_it_was_made(tmp_path, images):
    stored = StoredImages(write_zarr(images, tmp_path / "made.zarr", 4))
    assert len(stored) == 4
    for old, new in zip(images, stored, strict=False):
        same(old, new)
    same(stored[-1], images[3])
    with pytest.raises(ImageError, match="no zarr of semi-synthetic images"):
        StoredImages(tmp_path)


def test_nothing_is_replaced_or_left_half_written(tmp_path, images):
    token = CancelToken()

    def stop_at_two(event):
        if event.done == 2:
            token.cancel()

    with pytest.raises(Cancelled):
        write_pairs(images, tmp_path / "made", on_progress=stop_at_two, cancel=token)
    assert list(tmp_path.iterdir()) == []
    write_pairs(images, tmp_path / "made", 1)
    with pytest.raises(StoreError, match="already there"):
        write_pairs(images, tmp_path / "made", 2)
    write_pairs(images, tmp_path / "made", 2, overwrite=True)
    assert len(load_folder(tmp_path / "made")) == 2


@pytest.mark.parametrize("workers", [0, 2])
def test_a_data_loader_makes_them_in_any_number_of_workers(images, workers):
    from torch.utils.data import DataLoader

    from napari_mpseg.training.data.semi_dataset import SemiSyntheticDataset

    loader = DataLoader(SemiSyntheticDataset(images), batch_size=3, num_workers=workers)
    batches = list(loader)
    assert [tuple(part.shape) for part in batches[0]] == [(3, 3, 64, 72), (3, 1, 64, 72), (3, 64, 72)]
    for index in range(6):
        image, mask, instances = (part[index % 3].numpy() for part in batches[index // 3])
        np.testing.assert_array_equal(
            np.rint(image * 255).astype(np.uint8), images[index].image[:, :].transpose(2, 0, 1)
        )
        np.testing.assert_array_equal(mask[0] > 0, images[index].mask)
        np.testing.assert_array_equal(instances, images[index].instances)


def test_an_endless_data_set_has_new_images_in_every_epoch(images):
    from napari_mpseg.training.data.semi_dataset import SemiSyntheticDataset

    data, still = SemiSyntheticDataset(images, endless=True), SemiSyntheticDataset(images)
    first = data[0][0]
    for each in (data, still):
        each.next_epoch()
    assert not bool((data[0][0] == first).all())
    assert bool((still[0][0] == first).all())


def _write(folder, pair, labels="labels", images=""):
    import PIL.Image
    import tifffile

    (folder / labels).mkdir(parents=True)
    (folder / images).mkdir(exist_ok=True)
    PIL.Image.fromarray(pair.image).save(folder / images / "a.png")
    tifffile.imwrite(folder / labels / "a.tif", pair.instances.astype(np.uint16))


def test_folders_are_found_in_each_layout(tmp_path, field):
    _write(tmp_path / "beside", field)
    _write(tmp_path / "split", field, images="images")
    _write(tmp_path / "folds" / "fold_1", field)
    for name in ("beside", "split", "folds"):
        (pair,) = labelled_images(tmp_path / name)
        np.testing.assert_array_equal(pair.mask, field.mask)
        assert len(cut_out([pair])) == 2


def test_backgrounds_without_labels_hold_no_particles(tmp_path, field):
    import PIL.Image

    PIL.Image.fromarray(field.image).save(tmp_path / "empty.png")
    (pair,) = background_images(tmp_path)
    assert not pair.mask.any()
    np.testing.assert_array_equal(np.asarray(pair.image[:, :]), field.image)
    (tmp_path / "none").mkdir()
    with pytest.raises(ImageError, match="No image found"):
        background_images(tmp_path / "none")


def test_a_library_needs_images_only_for_real_backgrounds(tmp_path, field):
    library = save_cutouts(cut_out([field]), tmp_path / "library")
    with pytest.raises(SettingsError, match="holds cutouts only"):
        sources_of(library, SETTINGS)
    cutouts, images = sources_of(library, SemiSettings(background="plain"))
    assert (len(cutouts), images) == (2, [])
    _write(tmp_path / "grounds", field)
    assert len(sources_of(library, SETTINGS, backgrounds=tmp_path / "grounds")[1]) == 1


def test_labels_the_wrong_way_round_are_told(tmp_path, field):
    inverted = LabelledImage("i", field.image, ~field.mask, None, (~field.mask).astype(np.int32))
    _write(tmp_path / "inverted", inverted)
    with pytest.raises(ImageError, match="--particle-value 0"):
        sources_of(tmp_path / "inverted", SETTINGS)
    assert len(sources_of(tmp_path / "inverted", SETTINGS, particle_value=0)[0]) == 2
