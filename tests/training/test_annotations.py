"""What was painted becomes labelled images; what does not fit is said in words; little of an image is read."""

import threading
from types import SimpleNamespace

import dask.array as da
import numpy as np
import pytest
import tifffile
import zarr
from PIL import Image as Pictures
from scipy import ndimage

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import Cancelled, ImageError, SettingsError, UnknownNameError
from napari_mpseg.images import Image, Normalisation, open_image
from napari_mpseg.progress import CancelToken
from napari_mpseg.training.data.pairs import LabelledImage
from napari_mpseg.training.painted.annotations import (
    ANNOTATIONS,
    check_painted,
    painted_image,
    painted_images,
    snapshot_layer,
    split_note,
    split_painted,
)
from napari_mpseg.training.painted.lazy_pixels import LazyPixels
from napari_mpseg.training.patches.sampling import CropSampler
from napari_mpseg.training.settings import PatchSettings, TrainSettings


def picture(rng, shape=(60, 80), channels=3):
    return rng.integers(0, 256, (*shape, channels) if channels > 1 else shape).astype(np.uint8)


def scribbled(shape=(60, 80)):
    labels = np.zeros(shape, np.int32)
    labels[5:15, 10:40] = 1
    labels[30:40, 20:30] = 2
    labels[45:50, 60:70] = 7
    return labels


class Labels:
    """Has what a napari Labels layer has."""

    def __init__(self, data, scale=(1, 1), translate=(0, 0), name="painted", multiscale=False, units=None):
        self.data, self.scale, self.translate, self.name = data, scale, translate, name
        self.multiscale, self.units = multiscale, units


class Shapes:
    """Has what a napari Shapes layer has."""

    data, scale, name = (), (1, 1), "outlines"


def image_layer(data, scale=(1, 1), translate=(0, 0), rgb=False):
    return SimpleNamespace(
        data=data, scale=scale, translate=translate, name="filter", rgb=rgb, multiscale=False, units=None
    )


# -- the two ways of painting ------------------------------------------------------------------------------------------


def test_every_way_of_painting_is_explained_in_a_sentence():
    assert set(ANNOTATIONS) == {"dense", "scribbles"}
    for name, annotation in ANNOTATIONS.items():
        assert annotation.name == name
        assert annotation.title
        assert annotation.explanation.endswith(".")
        assert "0" in annotation.explanation


def test_in_a_dense_mask_0_is_background_and_all_else_particle(rng):
    pair = painted_image(picture(rng), scribbled(), "dense")
    np.testing.assert_array_equal(pair.mask, scribbled() > 0)
    assert pair.known is None
    assert pair.image.shape == (60, 80, 3)


@pytest.mark.parametrize(("background", "particles"), [(1, (2, 7)), (2, (1, 7))])
def test_in_scribbles_0_is_unpainted_and_one_label_background(rng, background, particles):
    pair = painted_image(picture(rng), scribbled(), "scribbles", background_label=background)
    np.testing.assert_array_equal(pair.known, scribbled() != 0)
    np.testing.assert_array_equal(pair.mask, np.isin(scribbled(), particles))
    assert pair.labels == {1: 300, 2: 100, 7: 50}


def test_real_strokes_are_read(shared_data):
    folder = shared_data / "painted"
    pair = painted_image(folder / "blobs.tif", folder / "blobs_annotations.tif", "scribbles")
    pixels, strokes = tifffile.imread(folder / "blobs.tif"), tifffile.imread(folder / "blobs_annotations.tif")
    assert pair.labels == {1: 737, 2: 361}
    np.testing.assert_array_equal(pair.mask, strokes == 2)
    np.testing.assert_array_equal(pair.known, strokes > 0)
    np.testing.assert_array_equal(pair.image[:, :], pixels[..., None])
    assert pixels[pair.mask].mean() > 2 * pixels[pair.known & ~pair.mask].mean()  # blobs are bright
    assert check_painted([pair]) == []


def test_unknown_ways_and_impossible_background_labels_are_refused(rng):
    with pytest.raises(UnknownNameError, match="scribbles"):
        painted_image(picture(rng), scribbled(), "scribble")
    with pytest.raises(SettingsError, match="background_label = 0"):
        painted_image(picture(rng), scribbled(), "scribbles", background_label=0)


# -- where labels come from --------------------------------------------------------------------------------------------


def _as_tiff(labels, tmp_path):
    tifffile.imwrite(tmp_path / "labels.tif", labels)
    return tmp_path / "labels.tif"


def _as_png_saved_in_colour(labels, tmp_path):
    Pictures.fromarray(labels.astype(np.uint8)).convert("RGB").save(tmp_path / "labels.png")
    return str(tmp_path / "labels.png")


def _as_zarr(labels, tmp_path):
    array = zarr.create_array(str(tmp_path / "a.zarr"), shape=labels.shape, chunks=(16, 16), dtype=labels.dtype)
    array[...] = labels
    return array


SOURCES = {
    "array": lambda labels, tmp_path: labels,
    "unsigned": lambda labels, tmp_path: labels.astype(np.uint8),
    "with an axis of length 1": lambda labels, tmp_path: labels[None],
    "dask": lambda labels, tmp_path: da.from_array(labels, chunks=(7, 33)),
    "zarr": _as_zarr,
    "layer": lambda labels, tmp_path: Labels(labels),
    "layer of zarr": lambda labels, tmp_path: Labels(_as_zarr(labels, tmp_path)),
    "snapshot": lambda labels, tmp_path: snapshot_layer(Labels(labels)),
    "TIFF": _as_tiff,
    "PNG": _as_png_saved_in_colour,
}


@pytest.mark.parametrize("source", SOURCES)
def test_labels_may_come_from_anywhere(rng, tmp_path, source):
    pair = painted_image(picture(rng), SOURCES[source](scribbled(), tmp_path), "scribbles")
    np.testing.assert_array_equal(pair.mask, scribbled() > 1)
    np.testing.assert_array_equal(pair.known, scribbled() > 0)
    assert pair.labels == {1: 300, 2: 100, 7: 50}


def test_a_boolean_mask_is_a_dense_mask(rng):
    np.testing.assert_array_equal(painted_image(picture(rng), scribbled() > 0, "dense").mask, scribbled() > 0)


def test_the_same_plane_of_stacks_is_taken(rng):
    images = rng.integers(0, 256, (4, 60, 80)).astype(np.uint8)
    labels = np.stack([np.full((60, 80), n, np.int32) for n in (0, 1, 2, 3)])
    pair = painted_image(images, Labels(labels), "scribbles", plane=2)
    assert pair.labels == {2: 4800}
    np.testing.assert_array_equal(pair.image[:, :, 0:1][..., 0], images[2])
    assert painted_image(open_image(images, plane=3), labels, "scribbles").labels == {3: 4800}
    assert painted_image(open_image(images, plane=3), labels[1], "scribbles").labels == {1: 4800}


def test_painting_goes_on_while_training_reads(rng):
    labels = scribbled()
    layer = Labels(labels)
    frozen, pair = snapshot_layer(layer), painted_image(picture(rng), layer, "dense")
    labels[:] = 1
    np.testing.assert_array_equal(pair.mask, scribbled() > 0)
    np.testing.assert_array_equal(frozen.data, scribbled())


@pytest.mark.parametrize(
    ("painted", "message"),
    [
        (scribbled().astype(float), "float64"),
        (Labels([scribbled(), scribbled()[::2, ::2]], multiscale=True), "multiscale"),
        (snapshot_layer(Labels([scribbled(), scribbled()[::2, ::2]], multiscale=True)), "multiscale"),
        (Shapes(), "Shapes"),
        (image_layer(np.zeros((60, 80, 3), np.uint8), rgb=True), "colour"),
        (np.arange(60 * 80 * 3, dtype=np.int32).reshape(60, 80, 3), "colour"),
    ],
)
def test_what_is_no_painted_label_is_refused_with_the_reason(rng, painted, message):
    with pytest.raises(SettingsError, match=message):
        painted_image(picture(rng), painted, "dense")


def test_what_is_no_image_is_refused_with_the_reason(rng):
    with pytest.raises(ImageError, match="empty"):
        painted_image(np.zeros((0, 5), np.uint8), np.zeros((0, 5), int), "dense")
    with pytest.raises(ImageError, match="not there"):
        painted_image("nowhere.tif", scribbled(), "dense")


def test_real_layers_are_understood(rng):
    napari_layers = pytest.importorskip("napari.layers")
    image = napari_layers.Image(picture(rng), rgb=True, name="filter", scale=(2, 2), translate=(5, 6))
    labels = napari_layers.Labels(scribbled(), name="strokes", scale=(2, 2), translate=(5, 6))
    for first in (image, snapshot_layer(image)):
        for second in (labels, snapshot_layer(labels)):
            pair = painted_image(first, second, "scribbles")
            np.testing.assert_array_equal(pair.mask, scribbled() > 1)
            assert pair.image.shape == (60, 80, 3)
    labels.translate = (5, 16)
    with pytest.raises(SettingsError, match="shifted"):
        painted_image(snapshot_layer(image), snapshot_layer(labels), "scribbles")
    labels.translate = (5, 6)
    labels.rotate = 30
    with pytest.raises(SettingsError, match="rotated"):
        painted_image(image, labels, "scribbles")
    multiscale = napari_layers.Labels([scribbled(), scribbled()[::2, ::2]], multiscale=True, name="pyramid")
    with pytest.raises(SettingsError, match="multiscale"):
        painted_image(picture(rng), multiscale, "dense")


# -- pairs that do not fit ---------------------------------------------------------------------------------------------


def test_another_size_is_said_with_both_sizes(rng):
    with pytest.raises(SettingsError, match=r"60 x 80 pixels.*61 x 80"):
        painted_image(picture(rng), np.ones((61, 80), int), "dense")


@pytest.mark.parametrize(
    ("scale", "translate", "message"),
    [((2, 2), (0, 0), "different size"), ((1, 1), (0, 3), "shifted"), ((1, 1.2), (0, 0), "different size")],
)
def test_layers_that_do_not_lie_on_each_other_are_told(rng, scale, translate, message):
    image = image_layer(picture(rng, channels=1))
    with pytest.raises(SettingsError, match=message):
        painted_image(image, Labels(scribbled(), scale, translate), "scribbles")
    painted_image(image, Labels(scribbled(), (1.001, 1), (0.3, 0)), "scribbles")  # less than half a pixel apart
    painted_image(image.data, Labels(scribbled(), scale, translate), "scribbles")  # an array lies nowhere


def test_another_pixel_size_is_told_where_both_are_known(rng):
    image = open_image(picture(rng), calibration="2.5um")
    labels = Labels(scribbled(), (2.5, 2.5), units=("micrometer", "micrometer"))
    painted_image(image, labels, "scribbles")
    with pytest.raises(SettingsError, match=r"of 5 um.* of 2\.5 um"):
        painted_image(image.with_calibration(Calibration((5, 5), "um")), labels, "scribbles")


def test_all_pairs_are_told_at_once_before_anything_is_read(rng):
    def fail(block):
        raise AssertionError("pixels were read")

    lazy = Image(
        da.zeros((60, 80), dtype=np.uint16).map_blocks(fail, dtype=np.uint16, meta=np.empty((0, 0), np.uint16))
    )
    with pytest.raises(SettingsError) as told:
        painted_images([(lazy, np.ones((5, 80), int)), (lazy, scribbled()), (lazy, np.ones((6, 80), int))], "dense")
    assert len(str(told.value).splitlines()) == 2


# -- what was painted --------------------------------------------------------------------------------------------------


def only(*labels):
    return np.where(np.isin(scribbled(), labels), scribbled(), 0)


@pytest.mark.parametrize(
    ("labels", "kind", "background", "message"),
    [
        (np.zeros((60, 80), int), "scribbles", 1, "Nothing is painted on image"),
        (
            only(2, 7),
            "scribbles",
            1,
            "No background is painted: no pixel has the label 1. Painted are the labels 2, 7.",
        ),
        (scribbled(), "scribbles", 3, "no pixel has the label 3. Painted are the labels 1, 2, 7."),
        (only(1), "scribbles", 1, "Only background is painted: no label other than 1 and 0"),
        (np.zeros((60, 80), int), "dense", 1, "No particle is painted"),
        (np.ones((60, 80), int), "dense", 1, "No background is there"),
    ],
)
def test_what_makes_training_impossible_is_said(rng, labels, kind, background, message):
    pair = painted_image(picture(rng), labels, kind, background_label=background)
    with pytest.raises(SettingsError) as told:
        check_painted([pair])
    assert message in str(told.value)


def test_classes_are_counted_over_all_images(rng):
    pairs = painted_images([(picture(rng), only(1)), (picture(rng), only(2, 7))], "scribbles")
    notes = check_painted(pairs)
    assert len(notes) == 1
    assert "no background is painted" in notes[0]


def test_all_findings_come_together(rng):
    pairs = painted_images([(picture(rng), only(1)), (picture(rng, channels=1), only())], "scribbles")
    with pytest.raises(SettingsError) as told:
        check_painted(pairs)
    lines = str(told.value).splitlines()
    assert len(lines) == 3
    assert "channels (image (number 1): 3, image (number 2): 1)" in lines[0]
    assert "Nothing is painted on image (number 2)" in lines[1]
    assert "Only background" in lines[2]


def test_other_images_are_checked_too(rng):
    with pytest.raises(SettingsError, match="nothing to learn from"):
        check_painted([])
    with pytest.raises(SettingsError, match="same height and width"):
        check_painted([LabelledImage("a", picture(rng), np.zeros((5, 5), bool))])
    plain = LabelledImage("a", picture(rng), scribbled() > 1, scribbled() > 0)
    assert check_painted([plain]) == []
    assert "Every pixel" in check_painted([LabelledImage("a", picture(rng), scribbled() > 1)], "scribbles")[0]


@pytest.mark.parametrize(
    ("labels", "kind", "message"),
    [
        (np.where(np.arange(80) < 60, 1, 0) * np.ones((60, 1), int), "dense", "75% of image is particle"),
        (only(1, 2), "dense", "the labels 1, 2"),
        (np.where(scribbled() > 1, 2, 1), "scribbles", "choose dense mask"),
    ],
)
def test_what_looks_like_the_wrong_way_of_painting_is_noted(rng, labels, kind, message):
    notes = check_painted([painted_image(picture(rng), labels, kind)])
    assert len(notes) == 1
    assert message in notes[0]


def test_very_little_paint_is_noted(rng):
    labels = only(1)
    labels[50, 50:60] = 2
    (note,) = check_painted([painted_image(picture(rng), labels, "scribbles")])
    assert "10 pixels of particle" in note


def test_many_instances_in_a_dense_mask_are_nothing_strange(rng):
    labels = ndimage.label(rng.random((200, 200)) < 0.1)[0]
    assert labels.max() > 1000
    pair = painted_image(picture(rng, (200, 200)), labels, "dense")
    assert pair.labels is None
    assert check_painted([pair]) == []
    bare = painted_image(picture(rng, (200, 200)), np.zeros((200, 200), int), "dense")
    assert "No particle is painted on image" in check_painted([pair, bare])[0]


# -- grey levels and reading -------------------------------------------------------------------------------------------


def test_grey_levels_are_what_the_network_will_see_times_255(rng):
    for pixels in (
        rng.integers(0, 4000, (60, 80)).astype(np.uint16),
        rng.integers(0, 60000, (60, 80, 2)).astype(np.uint16),
        rng.random((60, 80, 3)).astype(np.float32),
    ):
        pair = painted_image(pixels, scribbled(), "scribbles")
        full = next(value for value in (1.0, 255.0, 1023.0, 4095.0, 16383.0, 65535.0) if pixels.max() <= value)
        expected = pixels.reshape(60, 80, -1) / full * 255
        assert pair.image.dtype == np.float32
        assert pair.image.shape == expected.shape
        np.testing.assert_allclose(pair.image[10:33, 5:71], expected[10:33, 5:71], rtol=1e-5)
    given = painted_image(
        pixels, scribbled(), "scribbles", normalisation=Normalisation("fixed", offset=0.5, scale=2), channels=1
    )
    np.testing.assert_allclose(given.image[:, :], (pixels[..., 1:2] - 0.5) / 2 * 255, rtol=1e-4, atol=1e-4)


def test_uint8_stays_as_it_is(rng):
    pixels = picture(rng)
    pair = painted_image(pixels, scribbled(), "scribbles")
    assert pair.image.dtype == pair.image[:9, :9].dtype == np.uint8
    np.testing.assert_array_equal(np.asarray(pair.image), pixels)
    dark = pixels // 2
    stretched = painted_image(dark, scribbled(), "scribbles", normalisation=Normalisation("range")).image
    assert stretched.dtype == np.float32
    np.testing.assert_allclose(stretched[:, :], (dark - dark.min()) / np.ptp(dark) * 255, atol=1e-3)


def counted(shape, chunks, dtype="uint8"):
    """Return a dask image and the list of the chunks that were computed."""
    seen, lock = [], threading.Lock()

    def block(block_info=None):
        with lock:
            seen.append(tuple(block_info[None]["chunk-location"][:2]))
        return np.full(block_info[None]["chunk-shape"], 100, dtype)

    blocks = da.core.normalize_chunks(chunks, shape)
    return da.map_blocks(block, chunks=blocks, dtype=dtype, meta=np.empty((0,) * len(shape), dtype)), seen


def test_of_a_large_image_only_what_lies_around_the_paint_is_read():
    image, seen = counted((4096, 4096, 3), (256, 256, 3))
    labels = np.zeros((4096, 4096), np.uint8)
    labels[700:710, 700:760] = 1
    labels[3000:3010, 1500:1510] = 2
    pair = painted_image(image, labels, "scribbles")
    check_painted([pair])
    assert seen == []
    sampler = CropSampler(
        [pair], [], TrainSettings(batch=5, patches=PatchSettings(size=96, per_epoch=200)), np.random.default_rng(0)
    )
    for _ in range(2):
        assert all(batch.known.any((1, 2, 3)).all() for batch in sampler.epoch())
    # crops of 96 px around rows 700 to 710, columns 700 to 760 and around (3000..3010, 1500..1510)
    near = {(y, x) for y in (2, 3) for x in (2, 3)} | {(y, x) for y in (11, 12) for x in (5, 6)}
    assert set(seen) <= near
    assert len(seen) == len(set(seen))  # the second epoch read nothing


@pytest.mark.parametrize(("kind", "reads"), [("auto", 16), ("dtype", 0)])
def test_a_normalisation_that_needs_the_whole_image_reads_it_once(kind, reads):
    image, seen = counted((512, 512), (128, 128), "uint16")
    painted_image(image, np.pad(scribbled(), (0, 452))[:512, :512], "scribbles", normalisation=Normalisation(kind))
    assert len(seen) == reads


def test_large_labels_are_read_block_by_block():
    labels, seen = counted((5000, 5000), (1000, 1000), "int32")
    largest, cancel = [], CancelToken()

    def watch(event):
        largest.append(event)

    pair = painted_image(da.zeros((5000, 5000), dtype="u1"), labels, "scribbles", on_progress=watch)
    assert pair.known.all()
    assert len(seen) == len(set(seen)) == 25
    assert [event.done for event in largest] == list(range(1, 10))  # windows of 2 x 2 chunks
    cancel.cancel()
    with pytest.raises(Cancelled):
        painted_image(da.zeros((5000, 5000), dtype="u1"), labels, "scribbles", cancel=cancel)


def test_of_an_enormous_image_only_the_painted_rectangle_is_kept():
    """The mask of a whole image of 100 000 x 100 000 pixels would take 10 GB."""
    strokes = np.zeros((1000, 1000), "u1")
    strokes[100:110, 200:260], strokes[500, 600] = 1, 2
    empty = {"dtype": "u1", "chunks": 2000}
    below = da.concatenate([da.from_array(strokes), da.zeros((1000, 19_000), **empty)], axis=1)
    labels = da.concatenate([da.zeros((9000, 20_000), **empty), below])
    image = da.broadcast_to(da.arange(20_000, chunks=2000) % 251, (10_000, 20_000)).astype("u1")
    pair = painted_image(image, labels, "scribbles")
    # painted are rows 9100 to 9500 and columns 200 to 600; 1024 px more on each side, as far as the image goes
    assert pair.corner == (8076, 0)
    assert pair.mask.shape == pair.known.shape == pair.image.shape[:2] == (1924, 1625)
    assert np.argwhere(pair.mask).tolist() == [[9500 - 8076, 600]]
    assert pair.known.sum() == 601
    np.testing.assert_array_equal(pair.image[5:6, 500:700][0, :, 0], np.arange(500, 700) % 251)


def test_labels_that_cannot_be_read_say_so():
    def fail(block):
        raise OSError("disk is away")

    labels = da.zeros((60, 80), dtype="i4").map_blocks(fail, dtype="i4", meta=np.empty((0, 0), "i4"))
    with pytest.raises(ImageError, match="disk is away"):
        painted_image(np.zeros((60, 80), np.uint8), labels, "dense")


# -- lazy pixels -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 3])
def test_any_window_of_lazy_pixels_is_that_of_the_array(rng, channels):
    pixels = picture(rng, (700, 530), channels)
    image = open_image(pixels)
    lazy = LazyPixels(image, Normalisation().measure(image))
    whole = pixels.reshape(700, 530, channels)
    for _ in range(50):
        y0, y1 = np.sort(rng.integers(0, 701, 2))
        x0, x1 = np.sort(rng.integers(0, 531, 2))
        np.testing.assert_array_equal(lazy[y0:y1, x0:x1], whole[y0:y1, x0:x1])
    np.testing.assert_array_equal(lazy[690:800, -40:, :1], whole[690:800, -40:, :1])
    np.testing.assert_array_equal(lazy[5:2, :], whole[5:2])
    np.testing.assert_array_equal(lazy[:3], whole[:3])
    for wrong in (3, (slice(0, 9, 2), slice(None)), (slice(1), slice(1), slice(1), slice(1))):
        with pytest.raises(TypeError):
            lazy[wrong]


def test_lazy_pixels_keep_what_they_may_and_no_more():
    image, seen = counted((2048, 2048), (256, 256))
    scaling = Normalisation().measure(Image(image))
    block = 256 * 256
    lazy = LazyPixels(Image(image), scaling, keep_bytes=2 * block)
    for y in (0, 256, 0, 256):
        lazy[y : y + 90, 0:90]
    assert len(seen) == 2
    for y in (512, 0):
        lazy[y : y + 90, 0:90]
    assert len(seen) == 4  # the third block took the place of the first
    assert lazy._kept._bytes <= 2 * block
    lazy[:, :]
    assert lazy._kept._bytes <= 2 * block
    assert len(seen) == 4 + 64


def test_what_lazy_pixels_gave_may_be_changed(rng):
    pixels = picture(rng)
    image = open_image(pixels.copy())
    lazy = LazyPixels(image, Normalisation().measure(image))
    lazy[0:9, 0:9][:] = 0
    np.testing.assert_array_equal(lazy[0:9, 0:9], pixels[0:9, 0:9])


# -- validation --------------------------------------------------------------------------------------------------------


def dots(rng, shape=(400, 400), particles=12):
    """Return scribbles: dots of label 2, and background strokes of label 1 beside them."""
    labels = np.zeros(shape, np.uint8)
    for y, x in rng.integers(0, shape[0] - 40, (particles, 2)):
        labels[y + 9 : y + 12, x : x + 30] = 1
        labels[y : y + 6, x : x + 6] = 2
    return labels


def shares_held(train, held, mask):
    parts = [
        [sum(int((pair.known & (mask == value)).sum()) for pair in part) for value in (True, False)]
        for part in (train, held)
    ]
    return np.array(parts[1]) / np.sum(parts, axis=0)


@pytest.mark.parametrize("share", [0.1, 0.2, 0.4])
def test_strokes_are_kept_aside_by_their_share(rng, share):
    labels = dots(rng)
    pair = painted_image(picture(rng, labels.shape), labels, "scribbles")
    train, held = split_painted([pair], share, 3)
    assert len(train) == len(held) == 1
    assert not (train[0].known & held[0].known).any()
    np.testing.assert_array_equal(train[0].known | held[0].known, pair.known)
    for part in (train[0], held[0]):
        np.testing.assert_array_equal(part.mask, pair.mask & part.known)
    particle, background = shares_held(train, held, pair.mask)
    assert share / 2 <= particle <= share
    assert share / 2 <= background <= share


def test_dots_are_not_cut(rng):
    labels = np.zeros((300, 300), np.uint8)
    for y in range(10, 290, 30):
        for x in range(10, 290, 30):
            labels[y : y + 5, x : x + 5] = 1 + (y // 30 + x // 30) % 2
    pair = painted_image(picture(rng, labels.shape), labels, "scribbles")
    _, (held,) = split_painted([pair], 0.2, 0)
    sizes = ndimage.sum(held.known, ndimage.label(labels)[0], range(1, 101))
    assert set(sizes) == {0, 25}


def test_one_long_stroke_is_cut_into_pieces(rng):
    labels = np.zeros((300, 300), np.uint8)
    labels[10:20, 5:290] = 1
    labels[100:150, 100:140] = 2
    pair = painted_image(picture(rng, labels.shape), labels, "scribbles")
    train, held = split_painted([pair], 0.2, 0)
    particle, background = shares_held(train, held, pair.mask)
    assert 0.05 < particle <= 0.2
    assert 0.05 < background <= 0.2


@pytest.mark.parametrize("share", [0.1, 0.25])
def test_dense_masks_are_kept_aside_in_blocks(rng, share):
    mask = np.zeros((500, 700), np.uint8)
    for y, x in rng.integers(0, 490, (60, 2)):
        mask[y : y + 6, x : x + 6] = 1
    pair = painted_image(picture(rng, mask.shape), mask, "dense")
    train, held = split_painted([pair], share, 1)
    assert not (train[0].known & held[0].known).any()
    assert (train[0].known | held[0].known).all()
    particle, background = shares_held(train, held, pair.mask)
    assert share / 3 <= particle <= share
    assert share / 3 <= background <= share * 1.2


def test_several_images_are_split_together(rng):
    pairs = painted_images([(picture(rng, (400, 400)), dots(rng)) for _ in range(3)], "scribbles")
    train, held = split_painted(pairs, 0.2, 0)
    for one, other in ((a, b) for a in train for b in held if a.image is b.image):
        assert not (one.known & other.known).any()
    kept = sum(int(pair.known.sum()) for pair in held) / sum(int(pair.known.sum()) for pair in pairs)
    assert 0.1 <= kept <= 0.2


def test_whole_images_are_kept_aside_where_there_are_many(rng):
    pairs = painted_images([(picture(rng, (400, 400)), dots(rng)) for _ in range(10)], "scribbles")
    train, held = split_painted(pairs, 0.2, 0)
    assert (len(train), len(held)) == (8, 2)
    assert all(any(pair is own for own in pairs) for pair in train + held)
    # only two of them hold particles: one of those must be on either side
    few = painted_images(
        [(picture(rng, (400, 400)), dots(rng) if n in (3, 6) else dots(rng) * (dots(rng) == 1)) for n in range(10)],
        "dense",
    )
    for part in split_painted([few[n] for n in range(10)], 0.2, 1):
        assert any(pair.mask.any() for pair in part)


def test_the_split_repeats_by_seed(rng):
    pair = painted_image(picture(rng, (400, 400)), dots(rng), "scribbles")
    first, again, other = (split_painted([pair], 0.2, seed)[1][0].known for seed in (4, 4, 5))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_both_classes_stay_in_training_whatever_was_painted(rng):
    for seed in range(30):
        draw = np.random.default_rng(seed)
        labels = dots(draw, (150, 150), int(draw.integers(1, 5)))
        if len(np.unique(labels)) < 3:
            continue
        pair = painted_image(picture(rng, labels.shape), labels, "scribbles")
        train, held = split_painted([pair], float(draw.uniform(0.05, 0.9)), seed)
        for part in (train, held) if held else (train,):
            assert sum((one.known & one.mask).sum() for one in part) > 0
            assert sum((one.known & ~one.mask).sum() for one in part) > 0


def test_too_little_paint_is_learnt_from_as_a_whole(rng):
    labels = np.zeros((60, 80), np.uint8)
    labels[5:8, 5:8], labels[20:23, 20:23] = 1, 2
    pair = painted_image(picture(rng), labels, "scribbles")
    train, held = split_painted([pair], 0.2, 0)
    assert held == []
    assert train == [pair]
    assert "Too little is painted" in split_note([pair], 0.2, 0)
    enough = painted_image(picture(rng, (400, 400)), dots(rng), "scribbles")
    assert split_note([enough], 0.2, 0) == ""
    assert split_painted([enough], 0.0, 0) == ([enough], [])
    assert "share is 0" in split_note([enough], 0.0, 0)


def test_real_strokes_are_split(shared_data):
    folder = shared_data / "painted"
    pair = painted_image(folder / "blobs.tif", folder / "blobs_annotations.tif", "scribbles")
    train, held = split_painted([pair], 0.2, 0)
    particle, background = shares_held(train, held, pair.mask)
    assert 0.1 <= particle <= 0.2
    assert 0.1 <= background <= 0.2
