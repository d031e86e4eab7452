"""Learning to tell particles apart: instances go with their images, and what is learnt is found again."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import ndimage

import napari_mpseg as mp
from napari_mpseg.errors import SettingsError, UnknownNameError
from napari_mpseg.heads.registry import HEADS
from napari_mpseg.training.augment.augmentation import AUGMENTATIONS, augment
from napari_mpseg.training.augment.offline import offline_variants
from napari_mpseg.training.data.compacting import compact
from napari_mpseg.training.data.instances import of_one_label, told_apart
from napari_mpseg.training.data.pairs import LabelledImage, load_folder
from napari_mpseg.training.data.shrinking import shrunk_labels, shrunk_pair
from napari_mpseg.training.earlier import EarlierStage
from napari_mpseg.training.made_images import Wanted, made_images
from napari_mpseg.training.painted.annotations import painted_image, split_painted
from napari_mpseg.training.patches.sampled import batch_of, cut_pair
from napari_mpseg.training.patches.sampling import SAMPLERS
from napari_mpseg.training.preset import load_preset
from napari_mpseg.training.presets import PRESETS
from napari_mpseg.training.run.losses import chosen_loss
from napari_mpseg.training.run.objective import Objective
from napari_mpseg.training.run.objects import f1, object_counts
from napari_mpseg.training.run.validation import validate
from napari_mpseg.training.session import prepare_session
from napari_mpseg.training.settings import Augmentation, PatchSettings, TrainSettings
from napari_mpseg.training.train import prepare_training

SEVERAL = [name for name in HEADS if HEADS[name].channels > 1]
QUICK = TrainSettings(
    network="quarter-multiresunet",
    loss="bce",
    loss_options={"positive_weight": 1.0},
    batch=2,
    epochs=2,
    patches=PatchSettings(size=32, per_epoch=4),
    augmentation=(Augmentation("turns-and-flips"),),
    precision="fp32",
)


@pytest.fixture
def pair(rng):
    """Bright squares, two by two side by side, each with a number of its own."""
    labels = np.zeros((96, 128), np.int32)
    number = 0
    for y in range(6, 84, 18):
        for x in range(6, 110, 26):
            labels[y : y + 10, x : x + 10] = number + 1
            labels[y : y + 10, x + 10 : x + 20] = number + 2
            number += 2
    inner = np.zeros(labels.shape, bool)
    inner[:, :-1] = (labels[:, :-1] != labels[:, 1:]) & (labels[:, :-1] > 0) & (labels[:, 1:] > 0)
    image = np.where(labels > 0, 190, 40) - 60 * inner + rng.normal(0, 5, labels.shape)
    return LabelledImage("squares", image.clip(0, 255).astype(np.uint8)[..., None], labels > 0, instances=labels)


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("head", HEADS)
def test_batches_hold_what_the_head_is_taught(pair, sampler, head):
    settings = replace(QUICK, head=head, patches=replace(QUICK.patches, name=sampler))
    batch = next(iter(SAMPLERS[sampler]([pair], [], settings, np.random.default_rng(1)).epoch()))
    channels = HEADS[head].channels
    assert batch.images.shape == (2, 1, 32, 32)
    assert batch.targets.shape == (2, channels, 32, 32)
    assert batch.targets.dtype == np.float32
    assert (batch.weights is None) == (channels == 1)
    if channels > 1:
        assert batch.weights.shape == batch.targets.shape
    plain = next(iter(SAMPLERS[sampler]([pair], [], replace(settings, head="mask"), np.random.default_rng(1)).epoch()))
    if sampler == "sliding":  # the other one draws particles, which are fewer where they touch
        np.testing.assert_array_equal(batch.images, plain.images)
        np.testing.assert_array_equal(batch.targets[:, :1], plain.targets)


def test_crops_are_drawn_around_particles_not_clusters(pair):
    sampler = SAMPLERS["around-particles"]([pair], [], replace(QUICK, head="boundary"), np.random.default_rng(0))
    assert len(sampler._pools[0].particles) == pair.instances.max()
    sampler = SAMPLERS["around-particles"]([pair], [], QUICK, np.random.default_rng(0))
    assert len(sampler._pools[0].particles) == pair.instances.max() / 2


def test_a_patch_beyond_the_image_is_unknown_there(pair):
    _, labels, known = cut_pair(pair, 80, 100, 64, instances=True)
    assert labels.dtype == np.int32
    assert known[:16, :28].all()
    assert known.sum() == 16 * 28
    batch = batch_of([cut_pair(pair, 80, 100, 64, instances=True)], HEADS["distance"])
    assert batch.known.shape == (1, 1, 64, 64)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_numbers_move_as_masks_do(pair, name):
    step = [Augmentation(name)]
    for seed in range(4):
        image = pair.image[:64, :64].astype(np.float32).repeat(3, 2)
        _, mask, _ = augment(image, pair.mask[:64, :64], None, step, np.random.default_rng(seed))
        _, labels, _ = augment(image, pair.instances[:64, :64], None, step, np.random.default_rng(seed))
        assert labels.dtype == np.int32
        np.testing.assert_array_equal(labels > 0, mask)
        assert set(np.unique(labels)) <= set(np.unique(pair.instances[:64, :64])) | {0}


def test_the_offline_set_keeps_particles_apart(pair):
    for made in offline_variants(pair):
        np.testing.assert_array_equal(made.instances > 0, made.mask)


def test_a_block_is_of_the_particle_that_has_most_of_it(rng):
    labels = rng.integers(0, 4, (11, 14)).astype(np.uint8)
    found = shrunk_labels(labels, 3)
    assert found.shape == (4, 5)
    for y in range(4):
        for x in range(5):
            counts = np.bincount(labels[3 * y : 3 * y + 3, 3 * x : 3 * x + 3].ravel(), minlength=4)[1:]
            assert counts.max() == (counts[found[y, x] - 1] if found[y, x] else 0)


def test_a_smaller_image_has_smaller_particles(pair):
    small = shrunk_pair(pair, 2)
    np.testing.assert_array_equal(small.instances > 0, small.mask)
    np.testing.assert_array_equal(small.instances, pair.instances[::2, ::2])  # squares begin and end at even pixels


@pytest.mark.parametrize(
    ("values", "kind"),
    [([0, 1, 255], np.uint8), ([0, 300, 2], np.uint16), ([0, 70_000], np.uint32), ([0, 2**40, 5], np.uint8)],
)
def test_labels_take_as_few_bytes_as_they_can(values, kind):
    found = compact(np.array([values]))
    assert found.dtype == kind
    assert len(np.unique(found)) == len(values)
    assert ((found == 0) == (np.array([values]) == 0)).all()


def test_negative_labels_are_particles_of_their_own():
    assert compact(np.array([[0, -1, 3, -2, 1]])).tolist() == [[0, 4, 3, 5, 1]]


@pytest.mark.parametrize("number", [300, -4, 2**40])
def test_a_label_has_one_number_whatever_the_blocks(number):
    import dask.array as da

    labels = np.zeros((6, 5000), np.int64)
    labels[1, 10], labels[3, 4500:4900], labels[4, 4500] = 7, 7, number
    image = np.zeros(labels.shape, np.uint8)
    made = painted_image(image, da.from_array(labels, chunks=(6, 1000)), "dense")
    assert made.instances[1, 10] == made.instances[3, 4600] > 0
    assert made.instances[4, 4500] not in (0, made.instances[1, 10])


def test_painted_and_stored_labels_are_instances(pair, tmp_path):
    import tifffile

    made = painted_image(pair.image[..., 0], pair.instances, "dense")
    np.testing.assert_array_equal(made.instances, pair.instances)
    assert made.kind == "dense"
    assert painted_image(pair.image[..., 0], pair.instances, "scribbles").instances is None
    (tmp_path / "labels").mkdir()
    tifffile.imwrite(tmp_path / "a.tif", pair.image[..., 0])
    tifffile.imwrite(tmp_path / "labels" / "a.tif", pair.instances.astype(np.uint16))
    (loaded,) = load_folder(tmp_path)
    np.testing.assert_array_equal(loaded.instances, pair.instances)
    assert load_folder(tmp_path, particle_value=3)[0].instances is None


def test_scribbles_do_not_say_where_a_particle_ends(pair):
    scribbled = replace(pair, instances=None, known=pair.mask)
    assert told_apart([scribbled], "mask") == ([scribbled], [])
    with pytest.raises(SettingsError, match=r"squares was painted with scribbles.*label of its own") as raised:
        told_apart([scribbled], "boundary")
    for way in ("Painted as: Dense mask", "painted='dense'", "--painted dense", "Tell touching particles apart: No"):
        assert way in str(raised.value)


def test_images_of_one_label_are_named(pair):
    one = replace(pair, name="one", instances=7 * pair.mask)
    nothing = replace(pair, name="nothing", mask=np.zeros_like(pair.mask), instances=None)
    assert of_one_label([pair, one, nothing, replace(pair, name="mask", instances=None)]) == ["one", "mask"]


def test_a_mask_is_taken_for_its_connected_pieces_and_it_is_said(pair):
    for given in (replace(pair, instances=None), replace(pair, instances=7 * pair.mask)):
        (found,), notes = told_apart([given], "distance")
        assert found.instances.max() == pair.instances.max() / 2
        assert len(notes) == 1
        assert "squares have the same label" in notes[0]
    (found,), notes = told_apart([pair], "distance")
    assert found is pair
    assert notes == []


def test_parts_kept_aside_keep_their_numbers(pair):
    train, held = split_painted([pair], 0.3, 0)
    for part in (*train, *held):
        np.testing.assert_array_equal(part.instances, pair.instances)
        assert part.known is not None


def test_one_output_is_the_chosen_loss_and_nothing_else(rng):
    loss = chosen_loss("bce+dice-batch", {})
    logits = torch.from_numpy(rng.normal(size=(2, 1, 8, 8)))
    target = torch.from_numpy((rng.random((2, 1, 8, 8)) < 0.3).astype(float))
    assert torch.equal(Objective(loss)(logits, target), loss(logits, target))


def test_other_outputs_are_weighted_and_learnt_where_they_are_known(rng):
    logits = torch.from_numpy(rng.normal(size=(1, 3, 4, 5))).requires_grad_()
    targets = torch.from_numpy(rng.random((1, 3, 4, 5)))
    weights = torch.from_numpy(rng.random((1, 3, 4, 5)))
    known = torch.from_numpy(rng.random((1, 1, 4, 5)) < 0.6)
    found = Objective(lambda *given: torch.zeros(()))(logits, targets, known, weights)
    p = 1 / (1 + np.exp(-logits.detach().numpy()[:, 1:]))
    t, w = targets.numpy()[:, 1:], weights.numpy()[:, 1:] * known.numpy()
    expected = (-(t * np.log(p) + (1 - t) * np.log(1 - p)) * w).sum() / max(w.sum(), 1)
    assert found.item() == pytest.approx(expected)
    found.backward()
    assert not logits.grad[:, 1:][~known.expand(1, 2, 4, 5)].any()
    assert not logits.grad[:, 0].any()


def test_objects_match_above_a_half():
    truth = np.zeros((10, 20), int)
    truth[:4, :8], truth[6:, :8], truth[:4, 12:] = 5, 6, 9
    found = np.zeros_like(truth)
    found[:4, :8] = 1  # the same
    found[6:8, :8] = 2  # exactly a half
    found[:3, 12:] = 3  # three quarters
    found[9, 19] = 4
    assert object_counts(truth, found) == (2, 3, 4)
    assert f1(2, 3, 4) == pytest.approx(4 / 7)
    assert object_counts(np.ones((3, 3), int), np.full((3, 3), 8)) == (1, 1, 1)
    assert (object_counts(np.zeros((3, 3), int), np.zeros((3, 3), int)), f1(0, 0, 0)) == ((0, 0, 0), 1.0)


class Perfect(torch.nn.Module):
    """Knows the fields of one window."""

    stride = 1

    def __init__(self, fields):
        super().__init__()
        self.fields = torch.from_numpy(np.where(fields > 0.5, 8.0, -8.0).astype(np.float32))

    def forward(self, x):
        return self.fields[None]


@pytest.mark.parametrize("head", ["boundary", "affinities"])
def test_validation_counts_particles(pair, head):
    network = Perfect(HEADS[head].targets(pair.instances))
    loss = Objective(chosen_loss("bce", {}))
    seen = validate(network, [pair], loss, torch.device("cpu"), 0, HEADS[head])
    assert (seen.iou, seen.object_f1) == (1.0, 1.0)
    assert seen.loss < 0.01
    known = np.zeros(pair.mask.shape, bool)
    known[:, :64] = True
    part = validate(network, [replace(pair, known=known)], loss, torch.device("cpu"), 0, HEADS[head])
    assert part.object_f1 == 1.0
    assert validate(Perfect(pair.mask[None]), [pair], loss, torch.device("cpu")).object_f1 is None


@pytest.mark.parametrize("head", SEVERAL)
def test_a_run_can_be_gone_on_with_and_starts_from_one_output(pair, head, tmp_path):
    settings = replace(QUICK, head=head, keep="best-iou", validation=0.2)
    first = prepare_session([pair], settings, validation=[pair], checkpoint=tmp_path / "run")
    model = first.run()
    assert model.card.head == head
    assert 0 <= model.card.scores["validation"]["object_f1"] <= 1
    again = prepare_session([pair], settings, validation=[pair], checkpoint=tmp_path / "run")
    assert again.resumed == 2
    other = replace(pair, instances=np.where(pair.instances > 1, pair.instances, 2 * pair.mask))
    with pytest.raises(SettingsError, match="instances"):
        prepare_session([other], settings, validation=[pair], checkpoint=tmp_path / "run")
    plain = prepare_session([pair], replace(settings, head="mask"), start=model, validation=[pair]).training.network
    assert torch.equal(plain.head.weight[0], model.network.head.weight[0])
    grown = prepare_session([pair], settings, start=prepare_session([pair], QUICK).run()).training.network
    assert grown.head.out_channels == HEADS[head].channels


@pytest.mark.slow
@pytest.mark.parametrize("head", SEVERAL)
def test_touching_squares_are_told_apart_after_a_short_training(pair, head, tmp_path):
    recipe = PRESETS["touching"].changed(
        network="quarter-multiresunet",
        head=head,
        epochs=12,
        shrink=1,
        validation=0.0,
        **{"patches.size": 48, "patches.per_epoch": 60, "optimiser.learning_rate": 5e-3},
    )
    model = mp.train([(pair.image[..., 0], pair.instances)], recipe, painted="dense")
    model.save(tmp_path / "model")
    result = mp.segment(pair.image[..., 0], tmp_path / "model", measure=False)
    assert f1(*object_counts(pair.instances, np.asarray(result.labels[...]))) > 0.9


def test_a_head_must_be_one_there_is():
    with pytest.raises(UnknownNameError, match="boundary"):
        TrainSettings(head="boundry")


def test_the_front_door_says_what_was_taken_for_a_particle(pair):
    session = prepare_training(
        [(pair.image[..., 0], pair.mask.astype(np.uint8))],
        PRESETS["touching"].changed(network="quarter-multiresunet", shrink=1, **{"patches.size": 32}),
    )
    assert any("same label" in note for note in session.notes)


@pytest.fixture
def apart(pair):
    """A model that tells particles apart by the head "boundary"."""
    return prepare_session([pair], replace(QUICK, head="boundary", epochs=1), name="beads").model()


@pytest.mark.parametrize(
    ("preset", "change", "head", "said"),
    [
        ("painted", {}, "boundary", "goes on with its head 'boundary'"),
        ("touching", {}, "boundary", "not with the preset's 'affinities'"),
        ("touching", {"head": "boundary"}, "boundary", ""),
        ("touching", {"head": "distance"}, "distance", "'Inside and border' is lost"),
        ("painted", {"head": "mask"}, "mask", "will not tell particles apart"),
    ],
)
def test_the_head_of_the_start_is_kept_unless_another_is_asked_for(pair, apart, preset, change, head, said, tmp_path):
    quick = {"patches.size": 32, "patches.per_epoch": 4, "epochs": 1, "validation": 0.0, "keep": "last"}
    recipe = PRESETS[preset].changed(**quick, **change)
    recipe = load_preset(recipe.save(tmp_path / "recipe.json"))  # what was asked for is kept with it
    session = prepare_training([pair], recipe, start=apart)
    assert session.card.head == head
    told = [note for note in session.notes if "head" in note]
    assert bool(told) == bool(said)
    assert said in " ".join(told)
    staged = recipe.changed(before="synthetic", **{"before.count": 1, "before.options.size": 64, "before.epochs": 1})
    assert prepare_training([pair], staged, start=apart).first.card.head == head


def test_a_head_begins_anew_on_a_network_of_masks(pair):
    mask = prepare_session([pair], replace(QUICK, epochs=1)).model()
    recipe = PRESETS["touching"].changed(**{"patches.size": 32, "patches.per_epoch": 4}, epochs=1)
    session = prepare_training([pair], recipe, start=mask)
    assert session.card.head == "affinities"
    assert any("begins anew" in note and "lost" not in note for note in session.notes)


def test_made_images_bring_their_particles_and_what_is_to_be_known_of_them_is_said(pair, tmp_path):
    from PIL import Image as Pictures

    made = made_images(EarlierStage("synthetic", options={"size": 128}), Wanted(4, 1, 3, options={"size": 128})).images
    for one in made:
        assert np.array_equal(one.instances > 0, one.mask)
    counts = [len(np.unique(one.instances)) - 1 for one in made]
    assert counts == [int(ndimage.label(one.mask, np.ones((3, 3)))[1]) for one in made]  # they never touch
    assert max(counts) > 1
    quick = {"patches.size": 32, "patches.per_epoch": 4, "epochs": 1, "validation": 0.0, "keep": "last", "shrink": 1}
    recipe = PRESETS["touching"].changed(**quick)
    first = recipe.changed(before="synthetic", **{"before.count": 2, "before.options.size": 128, "before.epochs": 1})
    assert not any("same label" in note for note in prepare_training([pair], first).notes)
    (tmp_path / "labels").mkdir()
    for place, pixels in ((tmp_path, pair.image[..., 0]), (tmp_path / "labels", pair.mask.astype(np.uint8))):
        Pictures.fromarray(pixels).save(place / "a.png")
    notes = prepare_training([pair], recipe.changed(before=str(tmp_path), **{"before.epochs": 1})).notes
    assert any("learnt from first" in note and "same label" in note for note in notes)
