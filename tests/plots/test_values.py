"""Numbers in the figures, read from what was drawn."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from napari_mpseg.errors import SettingsError
from napari_mpseg.plots.bins import bin_edges
from napari_mpseg.plots.densities import axial_density, line_density
from napari_mpseg.plots.registry import PLOTS


def bars_of(axes):
    from matplotlib.patches import StepPatch

    return [patch for patch in axes.patches if isinstance(patch, StepPatch) and patch.get_fill()]


@pytest.mark.parametrize("log", [True, False])
@pytest.mark.parametrize("percent", [True, False])
@pytest.mark.parametrize("bins", [0, 7])
@pytest.mark.parametrize("column", ["area", "feret_max", "area_px"])
def test_bars_sum_to_n_and_the_curve_ends_at_100(table, log, percent, bins, column):
    tables = {"a": table(700, 1), "b": table(90, 2), "c": table(1, 3)}
    figure = PLOTS["size-distribution"].draw(tables, log=log, percent=percent, bins=bins, column=column)
    bars, curve = figure.axes
    totals = [patch.get_data().values.sum() for patch in bars_of(bars)]
    np.testing.assert_allclose(totals, [100, 100, 100] if percent else [700, 90, 1])
    for line, one in zip(curve.lines, tables.values(), strict=True):
        x, y = line.get_data()
        assert y[0] == 0
        assert y[-1] == 100
        assert (np.diff(y) >= 0).all()
        values = one.frame[{"area": "area_um2", "feret_max": "feret_max_um"}.get(column, column)]
        for place in np.quantile(values, (0.1, 0.5, 0.9), method="inverted_cdf"):
            shown = y[np.searchsorted(x, place, side="right") - 1]
            np.testing.assert_allclose(shown, 100 * (values <= place).mean())
    assert bars.get_xscale() == ("log" if log else "linear")


def test_bars_are_as_wide_as_one_another_on_their_axis(table):
    values = table(2000).frame["feret_max_um"].to_numpy()
    np.testing.assert_allclose(np.ptp(np.diff(np.log(bin_edges(values, log=True)))), 0, atol=1e-9)
    np.testing.assert_allclose(np.ptp(np.diff(bin_edges(values, log=False))), 0, atol=1e-9)


@pytest.mark.parametrize("log", [True, False])
def test_no_bar_is_empty_because_no_whole_pixel_falls_into_it(log):
    values = np.repeat(np.arange(1, 40), 50) * 6.25
    edges = bin_edges(values, log=log, count=60)
    assert (np.histogram(values, edges)[0] > 0).all()
    np.testing.assert_allclose(edges[1:-1] / 6.25 % 1, 0.5)  # half-way between whole pixels
    if not log:
        assert len(edges) == 40  # one bar for each of the 39 sizes


def test_sizes_of_zero_are_left_out_of_a_logarithmic_axis_and_counted(table):
    one = table(50)
    one.frame.loc[:4, "feret_max_um"] = 0
    figure = PLOTS["size-distribution"].draw({"a": one})
    assert bars_of(figure.axes[0])[0].get_data().values.sum() == 45
    assert "5 not shown" in figure.axes[0].get_title(loc="left")
    figure = PLOTS["size-distribution"].draw({"a": one}, log=False)
    assert bars_of(figure.axes[0])[0].get_data().values.sum() == 50


def test_borders_of_size_classes(table):
    def borders(**options):
        figure = PLOTS["size-distribution"].draw({"a": table(500)}, **options)
        return [line.get_xdata()[0] for line in figure.axes[0].lines if line.get_gid() == "border"]

    assert borders() == []
    assert borders(borders="usual") == [20, 50, 100]
    assert borders(borders="15, 30, 100000 um") == [15, 30]  # the last is outside
    with pytest.raises(SettingsError, match="cannot be marked on Area"):
        borders(borders="20 um", column="area")
    with pytest.raises(SettingsError, match="no size classes"):
        borders(borders="many")


def test_very_many_sizes_make_a_curve_of_bounded_length(table):
    figure = PLOTS["size-distribution"].draw({"a": table(20_000)})
    x, y = figure.axes[1].lines[0].get_data()
    assert len(x) <= 2002
    assert y[-1] == 100
    values = table(20_000).frame["feret_max_um"]
    np.testing.assert_allclose(y[1000], 100 * (values <= x[1000]).mean())


def test_violin_quartiles_and_shape(table):
    tables = {"a": table(900, 1), "b": table(9, 2), "c": table(0)}
    axes = PLOTS["violin-area"].draw(tables).axes[0]
    values = tables["a"].frame["area_um2"]
    bodies = [one for one in axes.collections if one.get_gid() != "quartiles"]
    quartiles = [one for one in axes.collections if one.get_gid() == "quartiles"]
    assert len(bodies) == len(quartiles) == 1  # nine particles are points
    np.testing.assert_allclose(quartiles[0].get_segments()[0][:, 1], np.quantile(values, (0.25, 0.75)))
    median = next(line for line in axes.lines if line.get_gid() == "median")
    assert median.get_ydata()[0] == np.median(values)
    outline = bodies[0].get_paths()[0].vertices
    np.testing.assert_allclose([outline[:, 1].min(), outline[:, 1].max()], [values.min(), values.max()])
    points = next(line for line in axes.lines if len(line.get_ydata()) == 9)
    np.testing.assert_array_equal(np.sort(points.get_ydata()), np.sort(tables["b"].frame["area_um2"]))


def test_a_line_density_is_that_of_scipy():
    values = np.random.default_rng(5).normal(3, 2, 4000)
    places, density = line_density(values)
    kernel = stats.gaussian_kde(values, bw_method=lambda one: 0.9 * one.n**-0.2)
    spread = min(values.std(), stats.iqr(values) / 1.349) / values.std(ddof=1)
    kernel.set_bandwidth(0.9 * spread * len(values) ** -0.2)
    np.testing.assert_allclose(density, kernel(places), atol=0.01 * density.max())


def test_areas_of_few_pixels_make_one_hump_and_keep_their_shares():
    areas = np.repeat([1.0, 2, 3, 4, 5, 6], [60, 120, 160, 120, 60, 10]) * 6.25
    for log in (False, True):
        places, density = line_density(areas, log=log)
        rises = np.sign(np.diff(density))
        assert (np.diff(rises[rises != 0]) != 0).sum() == 1
        at = np.log10(places) if log else places
        np.testing.assert_allclose(np.trapezoid(density, at), 1, atol=0.15)  # cut at the outermost values
        assert 2.2 < places[density.argmax()] / 6.25 < 3.6


def test_diameters_of_few_pixels_leave_few_bars_empty():
    sizes = np.repeat(2.5 * np.sqrt([2.0, 5, 8, 10, 13, 18, 20, 25, 29, 32]), 100)
    edges = bin_edges(sizes, log=True)
    counts = np.histogram(sizes, edges)[0]
    assert counts.sum() == 1000
    assert (counts == 0).sum() <= 2
    assert 6 <= len(counts) <= 15


@pytest.mark.parametrize("count", [1, 2, 17, 3000])
@pytest.mark.parametrize("bandwidth", [0, 1, 5, 90])
def test_axial_density_integrates_to_one_and_closes(count, bandwidth):
    angles = np.random.default_rng(count).uniform(0, 180, count)
    found = axial_density(angles, bandwidth=bandwidth)
    np.testing.assert_allclose(np.trapezoid(found.density, found.degrees), 1, atol=1e-9)
    np.testing.assert_allclose(found.density[0], found.density[-1], atol=1e-12)
    assert (found.density >= 0).all()


def test_axial_density_is_the_sum_of_von_mises_kernels():
    angles = np.random.default_rng(1).uniform(0, 180, 200)
    found = axial_density(angles, bandwidth=6)
    kappa = 1 / np.deg2rad(12) ** 2
    doubled = np.deg2rad(2 * (found.degrees[:, None] - angles))
    expected = stats.vonmises.pdf(doubled, kappa).mean(axis=1) * np.deg2rad(2)
    np.testing.assert_allclose(found.density, expected, atol=1e-9)


@pytest.mark.parametrize("turn", [0, 37, 90, 179])
def test_axial_density_turns_with_the_particles(turn):
    angles = np.random.default_rng(2).vonmises(0, 4, 500) * 90 / np.pi
    still, turned = axial_density(angles % 180), axial_density((angles + turn) % 180)
    shift = turn * 2  # places are half degrees
    np.testing.assert_allclose(turned.density[:-1], np.roll(still.density[:-1], shift), atol=1e-12)
    np.testing.assert_allclose((turned.mean - still.mean) % 180, turn, atol=1e-9)
    np.testing.assert_allclose(turned.strength, still.strength)


def test_mean_axis_across_the_ends():
    found = axial_density(np.array([175.0, 5.0]))
    assert min(found.mean, 180 - found.mean) < 1e-9
    np.testing.assert_allclose(found.strength, np.cos(np.deg2rad(10)))


def test_the_bandwidth_follows_taylor_where_there_is_one_direction():
    """For a von Mises sample the rule is near the kernel that fits the true density best."""
    random = np.random.default_rng(3)
    true_kappa, count = 4.0, 2000
    angles = np.rad2deg(random.vonmises(0, true_kappa, count)) / 2
    found = axial_density(angles)
    truth = stats.vonmises.pdf(np.deg2rad(2 * found.degrees), true_kappa) * np.deg2rad(2)

    def error(width):
        return np.square(axial_density(angles, bandwidth=width).density - truth).mean()

    best = min(np.geomspace(1, 20, 40), key=error)
    assert 0.6 < found.bandwidth / best < 1.7
    assert axial_density(random.uniform(0, 180, 5000)).bandwidth == 15
    assert axial_density(np.full(9, 45.0)).bandwidth == 2


def test_the_drawn_density_integrates_to_one(table):
    figure = PLOTS["feret-angle"].draw({"a": table(80, 1), "b": table(5, 2)})
    curves = [line for line in figure.axes[0].lines if line.get_gid() != "uniform"]
    assert len(curves) == 2
    for line in curves:
        np.testing.assert_allclose(np.trapezoid(line.get_ydata(), line.get_xdata()), 1)
    assert next(line for line in figure.axes[0].lines if line.get_gid() == "uniform").get_ydata()[0] == 1 / 180


@pytest.mark.parametrize("equal_area", [True, False])
def test_rose_counts_each_particle_in_both_directions(table, equal_area):
    one = table(400)
    axes = PLOTS["feret-rose"].draw({"a": one}, bins=12, equal_area=equal_area).axes[0]
    heights = np.array([bar.get_height() for bar in axes.patches])
    counts = heights**2 if equal_area else heights
    assert len(heights) == 24
    np.testing.assert_allclose(counts.sum(), 800)
    np.testing.assert_allclose(counts[:12], counts[12:])
    angles = one.frame["feret_angle_deg"]
    around_zero = ((angles < 7.5) | (angles >= 172.5)).sum()
    np.testing.assert_allclose(counts[0], around_zero)
    middle = axes.patches[3].get_x() + axes.patches[3].get_width() / 2
    np.testing.assert_allclose(np.rad2deg(middle), 45)


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_correlations_are_those_of_scipy(table, method):
    one = table(150)
    figure = PLOTS["correlation"].draw({"a": one}, method=method)
    shown = np.asarray(figure.axes[0].images[0].get_array())
    names = ["area_um2", "solidity", "circularity", "compactness", "roundness", "feret_angle_deg"]
    values = one.frame[names].to_numpy()
    expected = np.corrcoef(values.T) if method == "pearson" else stats.spearmanr(values).statistic
    np.testing.assert_allclose(shown, expected, atol=1e-12)
    written = [float(text.get_text()) for text in figure.axes[0].texts]
    np.testing.assert_allclose(written, expected.ravel(), atol=0.00501)


def test_correlation_leaves_constant_columns_empty_and_skips_missing_values(table):
    one = table(100)
    values = one.frame.assign(solidity=0.1 + 0.2)
    values.loc[:29, "roundness"] = np.nan
    axes = PLOTS["correlation"].draw({"a": replace(one, frame=values)}).axes[0]
    shown = axes.images[0].get_array()
    assert shown.mask[1].all()
    assert shown.mask[:, 1].all()
    assert len(axes.texts) == 25
    rest = values.iloc[30:]
    expected = stats.pearsonr(rest["area_um2"], rest["roundness"]).statistic
    np.testing.assert_allclose(shown[0, 4], expected)


def test_correlation_of_chosen_columns_and_of_fewer_measured_ones(table):
    one = table(30)
    axes = PLOTS["correlation"].draw({"a": one}, columns=("area_px", "area")).axes[0]
    np.testing.assert_allclose(axes.images[0].get_array(), 1)
    less = replace(one, frame=one.frame.drop(columns=["solidity", "roundness"]))
    assert PLOTS["correlation"].draw({"a": less}).axes[0].images[0].get_array().shape == (4, 4)
    with pytest.raises(SettingsError, match="two columns"):
        PLOTS["correlation"].draw({"a": one}, columns=("area",))
    with pytest.raises(SettingsError, match="needs two of"):
        PLOTS["correlation"].draw({"a": replace(one, frame=one.frame[["label", "circularity"]])})


def test_scatter_shows_each_particle_at_its_values(table):
    tables = {"a": table(40, 1), "b": table(20, 2)}
    axes = PLOTS["scatter"].draw(tables, x="area", y="feret_max", log_x=True).axes[0]
    offsets = np.asarray(axes.collections[0].get_offsets())
    expected = np.concatenate([one.frame[["area_um2", "feret_max_um"]].to_numpy() for one in tables.values()])
    np.testing.assert_allclose(offsets, expected)
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "linear")
    colours = axes.collections[0].get_facecolors()
    assert len(np.unique(colours[:40], axis=0)) == len(np.unique(colours[40:], axis=0)) == 1
    assert (colours[0] != colours[40]).any()


def test_scatter_coloured_by_a_number_and_by_class(table):
    one = table(100)
    figure = PLOTS["scatter"].draw({"a": one}, colour="solidity")
    np.testing.assert_array_equal(figure.axes[0].collections[0].get_array(), one.frame["solidity"])
    assert figure.axes[1].get_ylabel() == "Solidity"
    axes = PLOTS["scatter"].draw({"a": one}, colour="class").axes[0]
    colours = axes.collections[0].get_facecolors()
    for name in ("fibre", "fragment", "film"):
        assert len(np.unique(colours[one.frame["class"] == name], axis=0)) == 1


def test_many_points_are_rasterised(table):
    def rasterised(count):
        return PLOTS["scatter"].draw({"a": table(count)}).axes[0].collections[0].get_rasterized()

    assert rasterised(2001)
    assert not rasterised(2000)
