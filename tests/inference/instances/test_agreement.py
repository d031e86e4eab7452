"""Which particles are the same, told from what two windows saw in the strip around their border."""

import numpy as np
import pytest

from napari_mpseg.inference.agreement import same_particles, touching_alone
from napari_mpseg.inference.grid import Tile
from napari_mpseg.inference.pieces import numbered_pieces, summarise_pieces

ALL = slice(None)


def strip(*lines):
    """Return labels from lines of digits; a dot is background."""
    return np.array([[0 if one == "." else int(one) for one in line] for line in lines], np.int32)


def pairs(one, other, border=4):
    """Compare across a border that runs down before column `border`."""
    return [tuple(pair) for pair in same_particles(one, other, (ALL, slice(border - 1, border + 1))).tolist()]


def alone(one, other, agreed=(), connectivity=2):
    found = touching_alone(np.array(agreed, int).reshape(-1, 2), np.array(one), np.array(other), connectivity)
    return sorted({tuple(pair) for pair in found.tolist()})


def test_touching_particles_that_both_saw_stay_apart():
    one = strip("..1122..", "..1122..")
    other = strip("..7733..", "..7733..")
    assert pairs(one, other) == [(1, 7), (2, 3)]


@pytest.mark.parametrize(("longer", "same"), [(4, True), (8, True), (9, False)])
def test_at_least_half_of_all_pixels_must_be_common(longer, same):
    one, other = np.zeros((3, 24), np.int32), np.zeros((3, 24), np.int32)
    one[1, 2:6], other[1, 2 : 2 + longer] = 1, 1
    assert pairs(one, other, border=20) == ([(1, 1)] if same else [])


def test_both_legs_of_a_particle_bent_beyond_the_strip_are_found():
    one = strip(".11111..", "........", ".11111..", "........", ".11111..")
    other = strip(".22222..", "........", ".33333..", "........", ".44444..")
    assert pairs(one, other) == [(1, 2), (1, 3), (1, 4)]


def test_a_particle_with_gaps_is_compared_as_a_whole_too():
    one = strip(".1.1.1.1", "........")
    other = strip(".2222222", "........")
    assert pairs(one, other) == [(1, 2)]


def test_of_a_particle_that_the_other_cuts_the_larger_part_is_the_same():
    one = strip("11111111")
    assert pairs(one, strip("22222333")) == [(1, 2)]
    assert pairs(one, strip("33322222")) == [(1, 2)]


def test_of_two_equal_halves_the_first_number_is_the_same():
    assert pairs(strip("11111111"), strip("33332222")) == [(1, 2)]
    assert pairs(strip("33332222"), strip("11111111")) == [(2, 1)]


def test_connected_parts_away_from_the_border_join_nothing():
    one = strip("1.......", "........", ".......1", ".......1", ".......1", ".......1")
    other = strip("2.......", "........", ".......3", ".......3", ".......3", ".......3")
    assert pairs(one, other) == [(1, 3)]


def test_what_touches_across_the_border_is_joined_if_neither_has_a_partner():
    assert alone([0, 1, 1, 0, 0], [2, 0, 0, 0, 0]) == [(1, 2)]
    assert alone([0, 1, 1, 0, 0], [2, 0, 0, 0, 0], connectivity=1) == []
    assert alone([0, 1, 1, 0, 4], [0, 2, 0, 3, 0]) == [(1, 2), (1, 3), (4, 3)]
    assert alone([0, 1, 1, 0, 4], [0, 2, 0, 3, 0], agreed=[(1, 9)]) == [(4, 3)]
    assert alone([0, 1, 1, 0, 4], [0, 2, 0, 3, 0], agreed=[(9, 3)]) == [(1, 2)]
    assert alone([1], [2]) == [(1, 2)]


def test_nothing_is_the_same_as_nothing():
    assert pairs(np.zeros((3, 4), np.int32), strip("1111", "....", "...."), 2) == []


def test_pieces_are_numbered_in_raster_order_whatever_their_numbers():
    labels = np.array([[0, -1, 900], [7, 7, 900], [7, 2_000_000_000, 0]])
    np.testing.assert_array_equal(numbered_pieces(labels), [[0, 0, 1], [2, 2, 1], [2, 3, 0]])


def test_only_pixels_of_the_core_are_counted():
    numbers = np.array([[1, 1, 1, 0], [0, 2, 2, 0], [3, 0, 2, 0]], np.int32)
    tile = Tile((1, 1), (11, 13, 21, 23), (10, 13, 20, 24))
    summary = summarise_pieces(numbers, (10, 13, 20, 24), tile, 100)
    assert summary.areas.tolist() == [0, 3, 0]
    assert summary.first[1] == 11 * 100 + 21
    assert summary.first[0] == summary.first[2] > 10**9
