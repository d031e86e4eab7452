"""Average precision and recall, compared with COCO's own tool."""

import contextlib
import copy
import io

import numpy as np
import pytest
import tifffile

from napari_mpseg.coco import read_coco
from napari_mpseg.errors import ImageError, SettingsError
from napari_mpseg.evaluation.coco_documents import coco_scores
from napari_mpseg.evaluation.evidence import Evidence, gather_evidence
from napari_mpseg.evaluation.metric import METRICS, find_metric
from napari_mpseg.evaluation.scores import with_scores

NAMES = ["AP", "AP50", "AP75", "AP small", "AP medium", "AP large"]
NAMES += ["AR 1", "AR 10", "AR 100", "AR small", "AR medium", "AR large"]


@pytest.fixture
def reference():
    """Return COCO's own numbers of a truth and results, and AP at the first limits if they are not COCO's."""
    api, evaluation = pytest.importorskip("pycocotools.coco"), pytest.importorskip("pycocotools.cocoeval")

    def scores(truth, results, limits=(1, 10, 100)):
        with contextlib.redirect_stdout(io.StringIO()):
            coco = api.COCO()
            coco.dataset = copy.deepcopy(truth)
            coco.createIndex()
            run = evaluation.COCOeval(coco, coco.loadRes(copy.deepcopy(results)), "segm")
            run.params.maxDets = list(limits)
            run.evaluate()
            run.accumulate()
            run.summarize()
        # its AP is only defined for 100 particles of an image
        precision = run.eval["precision"][:, :, :, 0, -1]
        run.stats[0] = precision[precision > -1].mean() if (precision > -1).any() else -1
        return run.stats, run.eval["precision"]

    return scores


def encoded(mask):
    from pycocotools import mask as tool

    found = tool.encode(np.asfortranarray(mask.astype(np.uint8)))
    return found | {"counts": found["counts"].decode()}


def disc(shape, y, x, radius):
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return (rows - y) ** 2 + (columns - x) ** 2 <= radius**2


def scene(rng, n_images=5, crowds=0.15):
    """Return truth and results of discs of all sizes that overlap, with equal scores and a category without truth."""
    images, annotations, results = [], [], []
    for number in rng.permutation(n_images) + 1:
        shape = tuple(int(size) for size in rng.integers(60, 130, 2))
        name = f"{number}.png"
        images.append({"id": int(number), "file_name": name, "height": shape[0], "width": shape[1]})
        for _ in range(rng.integers(0, 14)):
            y, x, radius = *(rng.uniform(0, 1, 2) * shape), rng.choice([2, 5, 12, 25, 45])
            mask, category = disc(shape, y, x, radius), int(rng.integers(1, 4))
            if not mask.any():
                continue
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": int(number),
                    "category_id": category,
                    "iscrowd": int(rng.random() < crowds),
                    "area": int(mask.sum()),
                    "segmentation": encoded(mask),
                }
            )
            for _ in range(rng.integers(0, 4)):
                moved = np.array([y, x]) + rng.normal(0, 0.15 * radius, 2)
                found = disc(shape, *moved, radius * rng.uniform(0.8, 1.2))
                if found.any():
                    category = category if rng.random() < 0.9 else int(rng.integers(1, 4))
                    one = {"image_id": int(number), "category_id": category, "segmentation": encoded(found)}
                    results.append(one | {"score": float(np.round(rng.random(), 1))})
    categories = [{"id": number, "name": f"class {number}"} for number in (1, 2, 3, 4)]
    return {"images": images, "annotations": annotations, "categories": categories}, results


@pytest.mark.parametrize("limits", [(1, 10, 100), (1, 2, 3)])
@pytest.mark.parametrize("seed", range(4))
def test_numbers_are_those_of_pycocotools(seed, limits, reference):
    truth, results = scene(np.random.default_rng(seed))
    expected, _ = reference(truth, results, limits)
    document = read_coco(truth)
    found = coco_scores(document, read_coco(results, images_of=document), limits=limits)
    names = [name.replace("100", str(limits[2])).replace("10", str(limits[1]), name == "AR 10") for name in NAMES]
    assert list(found.total)[:12] == names
    np.testing.assert_allclose(list(found.total.values())[:12], expected, atol=1e-6)


def test_results_with_boxes_have_the_area_of_these(reference):
    from pycocotools import mask as tool

    truth, results = scene(np.random.default_rng(11))
    for one in results:
        one["bbox"] = tool.toBbox(one["segmentation"]).tolist()
    expected, _ = reference(truth, results)
    document = read_coco(truth)
    found = coco_scores(document, read_coco(results, images_of=document))
    np.testing.assert_allclose(list(found.total.values())[:12], expected, atol=1e-6)


def test_every_category_is_told_by_name(reference):
    truth, results = scene(np.random.default_rng(2))
    _, precision = reference(truth, results)
    document = read_coco(truth)
    found = coco_scores(document, read_coco(results, images_of=document)).by_category
    assert list(found) == ["class 1", "class 2", "class 3", "class 4"]
    each = [values["AP"] for values in found.values()]
    np.testing.assert_allclose(each, precision[:, :, :, 0, -1].mean((0, 1)), atol=1e-6)
    assert found["class 4"]["AP"] == -1  # nothing of it is there


def test_voc_takes_eleven_recalls(reference):
    truth, results = scene(np.random.default_rng(5), crowds=0)
    for one in (*truth["annotations"], *results):
        one["category_id"] = 1
    truth["categories"] = truth["categories"][:1]
    _, precision = reference(truth, results)
    document = read_coco(truth)
    found = coco_scores(document, read_coco(results, images_of=document))
    assert found.total["VOC AP50"] == pytest.approx(precision[0, ::10, 0, 0, -1].mean())


def test_a_whole_file_of_predictions_is_found_by_names():
    truth, results = scene(np.random.default_rng(3), crowds=0)
    document = read_coco(truth)
    expected = coco_scores(document, read_coco(results, images_of=document))
    other = {
        "images": [one | {"id": one["id"] + 50, "file_name": f"found/{one['id']}.tif"} for one in truth["images"]],
        "categories": [one | {"id": one["id"] * 10} for one in truth["categories"]],
        "annotations": [
            one | {"id": number, "image_id": one["image_id"] + 50, "category_id": one["category_id"] * 10}
            for number, one in enumerate(results)
        ],
    }
    assert coco_scores(document, read_coco(other)).total == expected.total
    other["categories"][0]["name"] = "something else"
    with pytest.raises(ImageError, match="the category 'something else'"):
        coco_scores(document, read_coco(other))
    other["images"][0]["file_name"] = "elsewhere.png"
    with pytest.raises(ImageError, match=r"has the image elsewhere\.png"):
        coco_scores(document, read_coco(other))


def test_categories_of_one_name_are_kept_apart(reference):
    truth, results = scene(np.random.default_rng(2))
    truth["categories"][1]["name"] = "class 1"
    expected, precision = reference(truth, results)
    document = read_coco(truth)
    found = coco_scores(document, read_coco(results, images_of=document))
    assert list(found.by_category) == ["class 1 (1)", "class 1 (2)", "class 3", "class 4"]
    each = [values["AP"] for values in found.by_category.values()]
    np.testing.assert_allclose(each, precision[:, :, :, 0, -1].mean((0, 1)), atol=1e-6)
    np.testing.assert_allclose(list(found.total.values())[:12], expected, atol=1e-6)
    whole = {key: truth[key] for key in ("images", "categories")}
    whole["annotations"] = [one | {"id": number} for number, one in enumerate(results)]
    assert coco_scores(document, read_coco(whole)).total == found.total


SQUARE = [[2, 2, 10, 2, 10, 10, 2, 10]]


def small(**values):
    """Return COCO of one image with one square, with other values of its annotation."""
    return {
        "images": [{"id": 1, "file_name": "a.png", "height": 20, "width": 30}],
        "categories": [{"id": 1, "name": "bead"}],
        "annotations": [{"id": 7, "image_id": 1, "category_id": 1, "segmentation": SQUARE} | values],
    }


@pytest.mark.parametrize("whole", [True, False], ids=["whole file", "results"])
def test_what_has_no_category_is_of_the_only_one_and_an_error_among_several(whole):
    truth, other = small(), small(category_id=None)
    predicted = other if whole else other["annotations"]
    for real, found in ((truth, predicted), (other, predicted), (other, truth if whole else truth["annotations"])):
        document = read_coco(real)
        assert coco_scores(document, read_coco(found, images_of=document)).total["AP"] == pytest.approx(1)
    for each in (truth, other):
        each["categories"] = [{"id": 1, "name": "bead"}, {"id": 2, "name": "fibre"}]
    document = read_coco(truth)
    with pytest.raises(ImageError, match=r"Annotation 7 of a\.png .* has no category, .* has 2: bead, fibre"):
        coco_scores(document, read_coco(predicted, images_of=document))
    document = read_coco(other)
    with pytest.raises(ImageError, match=r"Annotation 7 of a\.png .* has no category"):
        coco_scores(document, read_coco([], images_of=document))


def test_a_prediction_on_an_image_of_another_size_is_refused():
    truth, other = small(), small()
    other["images"][0] |= {"height": 40, "width": 60}
    with pytest.raises(ImageError, match=r"a\.png has 60 x 40 px in .* 30 x 20 px"):
        coco_scores(read_coco(truth), read_coco(other))
    del other["images"][0]["height"]
    assert coco_scores(read_coco(truth), read_coco(other)).total["AP"] == pytest.approx(1)


def test_images_that_could_be_several_are_refused():
    truth, other = small(), small()
    truth["images"] = [{"id": one, "file_name": f"{one}/a.png", "height": 20, "width": 30} for one in (1, 2)]
    with pytest.raises(ImageError, match=r"a\.png of .* may be 2 images of .*: 1/a\.png, 2/a\.png"):
        coco_scores(read_coco(truth), read_coco(other))
    with pytest.raises(ImageError, match=r"1/a\.png and 2/a\.png of .* are both found as a\.png"):
        coco_scores(read_coco(other), read_coco(truth))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"bbox": [1]}, r"its box is \[1\]"),
        ({"bbox": "abcd"}, "its box is 'abcd'"),
        ({"bbox": [1, 1, float("inf"), 2]}, "its box is"),
        ({"area": "large"}, "its area is 'large'"),
        ({"area": float("nan")}, "its area is nan"),
    ],
)
def test_damaged_results_are_told_with_annotation_and_image(values, message):
    document = read_coco(small())
    results = small(score=0.5, **values)["annotations"]
    with pytest.raises(ImageError, match=rf"Annotation 7 of a\.png in .*: {message}"):
        coco_scores(document, read_coco(results, images_of=document))


def test_results_of_which_some_have_boxes_have_the_area_of_their_pixels():
    document = read_coco(small())
    results = [*small(bbox=[2, 2, 40, 40])["annotations"], *small(score=None)["annotations"]]
    assert coco_scores(document, read_coco(results, images_of=document)).total["AP small"] == pytest.approx(1)


def test_truth_without_particles_gives_minus_one():
    truth, results = scene(np.random.default_rng(3))
    document = read_coco(truth | {"annotations": []})
    found = coco_scores(document, read_coco(results, images_of=document))
    assert set(found.total.values()) == {-1.0}
    nothing = coco_scores(document, read_coco([], images_of=document))
    assert nothing.total["AP"] == -1


# -- labels ----------------------------------------------------------------------------------------------------------


def coco_of(images, scores):
    """Return labels as COCO, made with COCO's own tool alone."""
    document = {"images": [], "annotations": [], "categories": [{"id": 1, "name": "particle"}]}
    for number, (labels, known) in enumerate(zip(images, scores, strict=True), 1):
        name = f"{number}.png"
        document["images"].append(
            {"id": number, "file_name": name, "height": labels.shape[0], "width": labels.shape[1]}
        )
        for label in np.unique(labels[labels > 0]):
            one = {"image_id": number, "category_id": 1, "segmentation": encoded(labels == label), "iscrowd": 0}
            one |= {"id": len(document["annotations"]) + 1, "area": int((labels == label).sum())}
            document["annotations"].append(one | ({"score": known[int(label)]} if known else {}))
    return document


def disturbed(labels, rng):
    """Return labels moved, shrunk, merged, split and lost, and a score for each, many of them equal."""
    found = np.roll(labels, tuple(rng.integers(-1, 2, 2)), (0, 1)).astype(np.int64)
    values = np.unique(found[found > 0])
    for value in values:
        chance = rng.random()
        if chance < 0.15:
            found[found == value] = 0
        elif chance < 0.25:
            found[found == value] = rng.choice(values)
        elif chance < 0.4:
            rows = np.nonzero((found == value).any(1))[0]
            found[: int(rows.mean())][found[: int(rows.mean())] == value] = values.max() + value
    found[rng.random(found.shape) < 0.05] = 0
    left = np.unique(found[found > 0])
    scores = {int(value): float(np.round(rng.random(), 1)) for value in left}
    return found, scores


def check_metrics(truths, rng, reference, limit=100):
    found = [disturbed(truth, rng) for truth in truths]
    truth = coco_of(truths, [None] * len(truths))
    results = coco_of([labels for labels, _ in found], [scores for _, scores in found])["annotations"]
    for one in results:
        del one["area"]
    expected, _ = reference(truth, results, (1, 2, limit))
    evidences = [
        with_scores(gather_evidence(labels, real, min_size=1, name=str(number)), scores)
        for number, ((labels, scores), real) in enumerate(zip(found, truths, strict=True))
    ]
    ending = "" if limit == 100 else f":{limit}"
    names = ["coco-ap", "coco-ap50", "coco-ap75", "coco-ap-small", "coco-ap-medium", "coco-ap-large"]
    values = [find_metric(name + ending).of(evidences) for name in names]
    there = expected[:6] > -1
    np.testing.assert_allclose(np.asarray(values)[there], expected[:6][there], atol=1e-6)
    assert find_metric("coco-ar" + ending).of(evidences) == pytest.approx(expected[8], abs=1e-6)
    assert 0.05 < expected[0] < 0.95  # neither perfect nor hopeless


@pytest.mark.parametrize("limit", [100, 5])
def test_metrics_of_labels_are_those_of_pycocotools(limit, rng, reference):
    truths = []
    for shape in ((90, 120), (150, 70), (40, 40)):
        labels = np.zeros(shape, np.int32)
        for number in range(1, 15):
            labels[disc(shape, *(rng.uniform(0, 1, 2) * shape), rng.choice([3, 5, 8, 20]))] = number
        truths.append(labels)
    check_metrics(truths, rng, reference, limit)


@pytest.mark.data
@pytest.mark.parametrize(
    ("pattern", "limit"),
    [("nuclei/labels/*.tif", 100), ("sem-fibres/val/labels/*.tif", 100), ("mira/labels/*.tif", 3000)],
)
def test_metrics_of_real_labels_are_those_of_pycocotools(pattern, limit, shared_data, rng, reference):
    paths = sorted(shared_data.glob(pattern))[:3]
    check_metrics([tifffile.imread(path).astype(np.int64)[:600, :700] for path in paths], rng, reference, limit)


def test_samples_of_images_count_as_often_as_they_were_drawn(rng):
    evidences = []
    for number in range(3):
        labels = np.zeros((60, 60), np.int32)
        for value in range(1, 9):
            labels[disc(labels.shape, *rng.uniform(0, 60, 2), 5)] = value
        found, scores = disturbed(labels, rng)
        scores = {value: score + number / 1000 + value / 1e6 for value, score in scores.items()}  # no two are equal
        evidences.append(with_scores(gather_evidence(found, labels, min_size=1), scores))
    entry = METRICS["coco-ap"]
    twice = entry.sampled(evidences, np.array([[2.0, 0.0, 1.0]]))
    assert twice[0] == pytest.approx(entry.of([evidences[0], evidences[2], evidences[0]]), abs=1e-9)
    np.testing.assert_allclose(entry.each(evidences), [entry.of([one]) for one in evidences])


def test_without_truth_the_metric_is_one_or_zero():
    empty, one = np.zeros((9, 9), np.int32), np.zeros((9, 9), np.int32)
    one[2:5, 2:5] = 1
    one[7:, 7:] = 2
    entry = METRICS["coco-ap"]
    assert entry.of([gather_evidence(empty, empty)]) == 1
    assert entry.of([gather_evidence(one, empty)]) == 0
    assert entry.of([gather_evidence(empty, one)]) == 0
    assert entry.of([gather_evidence(one, one)]) == 1
    assert METRICS["coco-ap-large"].of([gather_evidence(one, one)]) == 1  # there is none to be found
    assert entry.of([Evidence("a"), gather_evidence(one, one)]) == 1


@pytest.mark.parametrize("name", ["coco-ap:0", "coco-ap:2.5", "coco-ap50:-3"])
def test_an_impossible_limit_is_refused(name):
    with pytest.raises(SettingsError):
        find_metric(name)


def test_scores_must_be_of_these_particles():
    labels = np.zeros((9, 9), np.int32)
    labels[2:5, 2:5], labels[7:, 7:] = 4, 6
    evidence = gather_evidence(labels, labels)
    assert with_scores(evidence, {6: 0.5, 4: 0.25, 9: 1.0}).particles.scores.tolist() == [0.25, 0.5]
    with pytest.raises(ImageError, match=r"1 of the 2 predicted particles .* such as label 6"):
        with_scores(evidence, {4: 0.25})
