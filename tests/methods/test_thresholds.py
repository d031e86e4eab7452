"""Automatic thresholds choose the levels that ImageJ chooses, on every patch, by every rule."""

import csv
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import entropy

from napari_mpseg.errors import UnknownNameError
from napari_mpseg.images.open import open_image
from napari_mpseg.methods.grey import grey_histogram
from napari_mpseg.methods.registry import METHODS
from napari_mpseg.methods.rule_titles import RULE_TITLES
from napari_mpseg.methods.thresholds import THRESHOLD_RULES
from napari_mpseg.methods.thresholds.choice import byte_limits, choose_level
from napari_mpseg.methods.thresholds.groups import min_error_remark
from napari_mpseg.progress import CancelToken, silent

CHANNELS = {
    "grey_unweighted": {"channel": "grey"},
    "grey_weighted": {"channel": "weighted-grey"},
    "inverted_grey_unweighted": {"channel": "grey", "inverted": True},
    "red_minus_green": {"channel": "red-green"},
    "red_minus_green_minus_blue": {"channel": "red-green-blue"},
    "red": {"channel": "red"},
}

PARTICLES = {"dark": "bright", "light": "dark"}  # by ImageJ's word for the background


def _rows(reference):
    with (reference / "auto_thresholds.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def rows(reference):
    return _rows(reference)


@pytest.fixture(scope="module")
def histograms(rows, shared_data):
    found = {}
    for dataset, name in sorted({(row["dataset"], row["image"]) for row in rows}):
        path = shared_data / "mpnet" / f"fold_{dataset}" / name
        if path.exists():
            image = open_image(np.asarray(open_image(path).data))
            for channel, options in CHANNELS.items():
                found[dataset, name, channel] = grey_histogram(image, silent, CancelToken(), **options)[1]
    return found


@pytest.mark.parametrize("rule", THRESHOLD_RULES)
def test_levels_limits_and_foreground_equal_imagej_on_every_patch(rule, rows, histograms):
    compared, backgrounds = 0, set()
    for row in rows:
        counts = histograms.get((row["dataset"], row["image"], row["channel"]))
        if row["method"] != THRESHOLD_RULES[rule].imagej or counts is None:
            continue
        where = (row["dataset"], row["image"], row["channel"])
        choice = choose_level(rule, counts)
        assert (choice.level, choice.found) == (int(float(row["t"])), True), where
        lowest, highest = map(int, byte_limits(choice.level, PARTICLES[row["background"]]))
        assert (lowest, highest) == (int(float(row["lower"])), int(float(row["upper"]))), where
        assert counts[lowest : highest + 1].sum() == int(float(row["n_foreground"])), where
        compared += 1
        backgrounds.add(row["background"])
    assert compared >= 360
    assert backgrounds == {"dark", "light"}


def test_grey_values_equal_imagej_on_every_patch(rows, histograms):
    grey = np.arange(256)
    for row in rows[::17]:
        counts = histograms.get((row["dataset"], row["image"], row["channel"]))
        if counts is not None:
            filled = np.flatnonzero(counts)
            assert (filled[0], filled[-1]) == (int(row["channel_min"]), int(row["channel_max"]))
            assert (counts * grey).sum() / counts.sum() == pytest.approx(float(row["channel_mean"]), abs=1e-8)


def test_there_is_a_rule_a_method_and_a_name_in_imagej_for_each():
    assert list(THRESHOLD_RULES) == list(RULE_TITLES)
    assert len({rule.imagej for rule in THRESHOLD_RULES.values()}) == 17
    assert set(RULE_TITLES) <= set(METHODS)
    with pytest.raises(UnknownNameError, match="ots"):
        choose_level("ots", np.ones(256, np.int64))


@pytest.mark.parametrize("rule", THRESHOLD_RULES)
def test_every_rule_copes_with_every_histogram(rule, rng):
    odd = [[0, 255], [0, 1], [254, 255], [1, 2, 3], [0, 128, 255], [7, 200], [0, 254]]
    for filled in [*odd, *(rng.choice(256, size, replace=False) for size in (2, 10, 256))]:
        for most in (2, 300_000_000):
            counts = np.zeros(256, np.int64)
            counts[filled] = rng.integers(1, most, len(filled))
            choice = choose_level(rule, counts)
            assert choice.level is not None
            assert 0 <= choice.level <= 255
            assert choice.found or (choice.level == 0 and "another rule" in choice.remarks[0])


@pytest.mark.parametrize("rule", THRESHOLD_RULES)
def test_one_grey_value_leaves_nothing_above_or_below(rule):
    counts = np.zeros(256, np.int64)
    for filled in (80, 0, 255, None):
        if filled is not None:
            counts[:] = 0
            counts[filled] = 1000
        choice = choose_level(rule, counts)
        assert choice.level is None
        assert "same grey value" in choice.remarks[0]
        for particles in ("bright", "dark"):
            lowest, highest = byte_limits(choice.level, particles)
            assert lowest > highest
    assert choose_level(rule, np.zeros(256, np.int64)).level is None


@pytest.mark.parametrize("rule", ["otsu", "huang", "isodata", "imagej-default", "mean", "li", "intermodes"])
def test_two_clear_groups_are_told_apart(rule, rng):
    counts = np.bincount(np.clip(rng.normal(60, 5, 6000), 0, 255).astype(int), minlength=256)
    counts += np.bincount(np.clip(rng.normal(190, 5, 4000), 0, 255).astype(int), minlength=256)
    level = choose_level(rule, counts.astype(np.int64)).level
    assert counts[:100].cumsum()[-1] == counts[: level + 1].sum()


def test_entropy_and_correlation_are_those_of_the_papers(rng):
    """The best level by the definition, summed up level by level."""
    for _ in range(5):
        counts = rng.integers(0, 50, 256) * (rng.random(256) < 0.4)
        p = counts / counts.sum()
        levels = [t for t in range(255) if counts[: t + 1].any() and counts[t + 1 :].any()]
        kapur = {t: entropy(p[: t + 1]) + entropy(p[t + 1 :]) for t in levels}
        chosen = choose_level("max-entropy", counts).level
        assert kapur[chosen] == pytest.approx(max(kapur.values()), abs=1e-9)
        yen = {
            t: 2 * np.log(p[: t + 1].sum() * p[t + 1 :].sum())
            - np.log((p[: t + 1] ** 2).sum() * (p[t + 1 :] ** 2).sum())
            for t in levels
        }
        chosen = choose_level("yen", counts).level
        assert yen[chosen] == pytest.approx(max(yen.values()), abs=1e-9)


def test_simple_rules_by_hand():
    counts = np.zeros(256, np.int64)
    counts[[10, 20, 100]] = 5, 1, 4
    assert choose_level("mean", counts).level == 47  # (50 + 20 + 400) / 10
    assert choose_level("percentile", counts).level == 10  # half of the pixels
    assert choose_level("isodata", counts).level == 56  # half-way between the means 70 // 6 = 11 and 100
    assert choose_level("otsu", counts).level == 99  # anything from 20 on parts them alike: the highest


def test_a_histogram_without_two_peaks_has_no_valley_and_the_user_is_told():
    counts = np.zeros(256, np.int64)
    counts[:40] = np.arange(40, 0, -1)
    choice = choose_level("minimum", counts)
    assert (choice.level, choice.found) == (0, False)
    assert "minimum finds no level" in choice.remarks[0]
    assert byte_limits(choice.level, "bright") == (1, 255)
    assert byte_limits(choice.level, "dark") == (0, 0)


def test_the_overflow_of_imagejs_numbers_is_told(rows, histograms):
    told = {key: min_error_remark(counts) for key, counts in histograms.items()}
    told = {key: remark for key, remark in told.items() if remark}
    assert list(told) == [("5", "068.png", "inverted_grey_unweighted")]
    assert "ImageJ chooses level 245; without the overflow it would be 254" in next(iter(told.values()))


def test_level_255_still_leaves_the_brightest():
    assert byte_limits(255, "bright") == (255, 255)
    assert byte_limits(254, "bright") == (255, 255)


def test_the_page_tells_every_rule():
    page = (Path(__file__).parents[2] / "docs" / "thresholds.md").read_text(encoding="utf-8")
    for name, rule in THRESHOLD_RULES.items():
        assert f"| `{name}` | {rule.imagej} |" in page
