"""Particles at every threshold where each goes as a whole."""

import numpy as np

from napari_mpseg.evaluation.score_counts import counts_by_score


def test_each_particle_counts_up_to_its_own_score():
    labels = np.zeros((2000, 4), np.int32)
    labels[0, :2], labels[0, 2:], labels[1020:1030, 1], labels[1999, 3] = 1, 2, 7, 4  # 1 and 2 touch
    scores = np.array([0, 255, 13, 0, 40, 0, 0, 128], np.uint8)
    counts = counts_by_score(labels, scores[labels])
    assert counts.shape == (256,)
    assert [counts[level] for level in (0, 1, 13, 14, 40, 41, 128, 129, 255)] == [4, 4, 4, 3, 3, 2, 2, 1, 1]


def test_nothing_is_no_particle():
    assert not counts_by_score(np.zeros((5, 5), np.int32), np.zeros((5, 5), np.uint8)).any()
