"""The parts of a report as HTML."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from napari_mpseg.particles.classes.rules import RULE_SETS
from napari_mpseg.plots.words import column_name_words, column_words
from napari_mpseg.reports.averages import Average
from napari_mpseg.reports.item import ReportSettings
from napari_mpseg.reports.markup import (
    Markup,
    element,
    heading,
    joined,
    number,
    pairs,
    size_text,
    table,
    unit_text,
)
from napari_mpseg.reports.summary import ImageSummary

if TYPE_CHECKING:
    from napari_mpseg.particles.pattern.result import PatternResult

_IN_OVERVIEW = ("area", "feret_max", "circularity", "solidity", "feret_angle")
_NND = "Nearest-neighbour distances beside those of random points"
_DIRECTIONS = (
    "Angles are directions, which are the same again after 180°: their mean is that of doubled angles as unit vectors, "
    "halved again, and their standard deviation is √(−2 ln R) / 2 (Fisher 1993). The alignment R is 0 where directions "
    "cancel out, so that their mean says nothing, and 1 where all are the same."
)


def overview(summaries: Sequence[ImageSummary], samples: Sequence[str] = ()) -> Markup:
    """Return the table of all images, one row each, as Table 8 of Babkauskas 2023 has it.

    Parameters
    ----------
    summaries : sequence of ImageSummary
    samples : sequence of str
        What each is of; where any is known, in a column.
    """
    means = [{each.stem: (each.mean, each.unit) for each in summary.averages} for summary in summaries]
    columns: list[tuple[str, list[tuple[float | None, str]]]] = [
        ("Particles per", [(summary.density, summary.density_unit) for summary in summaries])
    ]
    for stem in _IN_OVERVIEW:
        if any(stem in each for each in means):
            columns.append((column_name_words(stem), [each.get(stem, (None, "")) for each in means]))
    shown = [_with_unit(head, cells) for head, cells in columns]
    density, averages = shown[0], shown[1:]
    sampled = any(samples)
    heads = ["Image", *(["Sample"] if sampled else []), "Particles", "Not kept", density[0], "% area"]
    heads += [head for head, _ in averages]
    rows = [
        [
            element("a", summary.name, href=f"#image-{position + 1}"),
            *([samples[position]] if sampled else []),
            summary.count,
            summary.rejected,
            density[1][position],
            summary.covered,
            *(cells[position] for _, cells in averages),
        ]
        for position, summary in enumerate(summaries)
    ]
    return table("All images; sizes and shapes are means over the particles", heads, rows)


def _with_unit(head: str, cells: Sequence[tuple[float | None, str]]) -> tuple[str, list[Any]]:
    """Return a heading with the unit and the bare values, or, where units differ, each value with its own."""
    units = {unit for value, unit in cells if value is not None}
    if len(units) > 1:
        between = "/" if head.endswith(" per") else ""
        texts = [f"{number(value)} {between}{unit_text(unit)}" if value is not None else None for value, unit in cells]
        return head.removesuffix(" per") if not between else "Density", texts
    unit = unit_text(units.pop()) if units else ""
    if head.endswith(" per"):
        return f"{head} {unit}" if unit else "Density", [value for value, _ in cells]
    return f"{head} ({unit})" if unit else head, [value for value, _ in cells]


def facts(summary: ImageSummary, sample: str = "") -> Markup:
    """Return what is known of an image, which may be of a sample, and of its particles as a list."""
    rows: list[tuple[Any, Any]] = [("Sample", sample)] if sample else []
    if summary.shape is not None:
        height, width = summary.shape
        size = f"{width} × {height} px"
        if summary.calibration.calibrated:
            unit = summary.density_unit.removesuffix("2")
            tall, wide = summary.calibration.converted(unit).pixel_size
            size += f", {number(width * wide)} × {number(height * tall)} {unit_text(unit)}"
        rows.append(("Image", size))
    rows.append(("Pixel size", str(summary.calibration).replace("um", "µm")))
    method = dict(summary.provenance.get("settings") or {}).get("method")
    rows += [("Found with", method)] if method else []
    rows.append(("Particles", f"{summary.count}" + (f", and {summary.rejected} not kept" if summary.rejected else "")))
    if summary.density is not None:
        rows.append(("Density", f"{number(summary.density)} particles per {unit_text(summary.density_unit)} of image"))
    if summary.covered is not None:
        rows.append(("Cover", f"{number(summary.covered)} % of the image is particle"))
    return pairs(rows)


def counts_table(summary: ImageSummary) -> Markup:
    """Return the cross table of classes and size classes."""
    counts = summary.counts
    by = f", by {column_name_words(summary.sizes.by)}" if summary.sizes is not None else ""
    classed = len(counts.index) > 1
    heads = ["Class" if classed else "", *(size_text(str(name)) for name in counts.columns)]
    rows = [
        ["Particles" if not classed else str(name), *(int(value) for value in counts.loc[name])]
        for name in counts.index
    ]
    return table(f"Number of particles by {'class and ' if classed else ''}size{by}", heads, rows, sums=classed)


def averages_table(rows: Sequence[Average]) -> Markup:
    """Return mean, spread and median of each property, and the alignment of directions."""
    body: list[list[Any]] = []
    for each in rows:
        body.append([column_words(each.column, {each.column: each.unit}), each.mean, each.sd, each.median, each.count])
        if each.alignment == each.alignment:
            body.append([f"{column_name_words(each.column)}: alignment R", each.alignment, None, None, each.count])
    return table("Averages over the particles", ["Property", "Mean", "Standard deviation", "Median", "Particles"], body)


def pattern_tables(rows: "Sequence[tuple[str, PatternResult]]") -> Markup:
    """Return the tests of the point pattern, as Table 9 of Babkauskas 2023 has them.

    Parameters
    ----------
    rows : sequence of tuple
        Name of the image, and a result. Of one image, there is one table with a row per test; of several, one per test
        with a row per image.
    """
    if len({name for name, _ in rows}) <= 1:
        return _pattern_table(_NND, "Test", [(result.title, result) for _, result in rows])
    tests = dict.fromkeys(result.title for _, result in rows)
    return joined(
        _pattern_table(f"{_NND}: {title}", "Image", [(name, result) for name, result in rows if result.title == title])
        for title in tests
    )


def _pattern_table(caption: str, first: str, rows: "Sequence[tuple[str, PatternResult]]") -> Markup:
    distances = [
        _with_unit(head, [(getattr(result, name), result.unit) for _, result in rows])
        for head, name in (("Expected mean", "theoretical"), ("Median", "median"), ("Mean", "mean"))
    ]
    heads = [first, *(head for head, _ in distances), "n", "Statistic", "Critical value", "p", "Level", "Pattern"]
    body = []
    for position, (name, result) in enumerate(rows):
        alpha = result.settings.get("alpha")
        value = f"{result.statistic_name} = {number(result.statistic)}" if result.statistic_name else None
        body.append(
            [
                name,
                *(cells[position] for _, cells in distances),
                result.n,
                value,
                result.critical,
                result.p,
                f"{100 * (1 - alpha):g} %" if isinstance(alpha, float) else None,
                element("b", result.pattern_class),
            ]
        )
    return table(caption, heads, body)


def pattern_notes(results: "Sequence[PatternResult]") -> Markup:
    """Return what each test has to say about itself, in small print."""
    return joined(
        element("p", element("b", result.title), ": ", " ".join(result.notes), class_="soft small")
        for result in results
        if result.notes
    )


def notes_list(notes: Sequence[str]) -> Markup:
    """Return notes as a list that stands out, or nothing."""
    return element("ul", *(element("li", note) for note in notes), class_="notes") if notes else Markup()


def how_measured(summaries: Sequence[ImageSummary], settings: ReportSettings) -> Markup:
    """Return the definitions of all that is shown."""
    defined: dict[str, str] = {}
    for summary in summaries:
        known = summary.table.definitions
        defined |= {
            column_name_words(each.column): known[each.column] for each in summary.averages if each.column in known
        }
    general = [
        (
            "Particles",
            "Those that were kept. Particles that a reviewer rejected are in no figure but “not kept”.",
        ),
        ("Density", "Particles over the area of the whole image."),
        ("% area", "Pixels of all particles over pixels of the image."),
        ("Standard deviation", "Of the particles, with n − 1."),
        ("Angles", _DIRECTIONS),
    ]
    sizes = list(dict.fromkeys(summary.sizes.text for summary in summaries if summary.sizes is not None))
    if sizes:
        general.append(
            ("Size classes", f"Borders {'; '.join(size_text(one) for one in sizes)}. A class holds its lower.")
        )
    if settings.rules is not None:
        general.append((f"Classes: {settings.rules}", RULE_SETS[settings.rules].description))
    return joined(
        [
            element("h2", "How it was measured", id="how"),
            pairs([*general, *_tests(summaries)]),
            element("h3", "Properties") if defined else Markup(),
            pairs(defined.items()),
        ]
    )


def _tests(summaries: Sequence[ImageSummary]) -> list[tuple[str, str]]:
    """Return what the tests of the point pattern do, and in which region."""
    if not any(summary.pattern for summary in summaries):
        return []
    from napari_mpseg.particles.pattern.pattern_tests import PATTERN_TESTS

    used = {result.test: result for summary in summaries for result in summary.pattern}
    entries = [(PATTERN_TESTS[name], result) for name, result in used.items()]
    return [(e.title, f"{e.definition} Source: {e.source}. Region: {r.region}.") for e, r in entries]


def provenance_section(summaries: Sequence[ImageSummary], record: dict[str, Any], *, brief: bool = False) -> Markup:
    """Return settings and versions: of this report, and of each image's run in full.

    Parameters
    ----------
    summaries : sequence of ImageSummary
    record : dict
        Of this report.
    brief : bool
        Whether runs with the same settings are told once.
    """
    libraries = ", ".join(f"{name} {version}" for name, version in record["libraries"].items())
    rows = [
        ("Report made", record["created"]),
        ("With", f"{record['program']} {record['version']}, Python {record['python']}"),
        ("Libraries", libraries),
        *((heading(name), _plain(value)) for name, value in record["settings"].items()),
    ]
    parts = [element("h2", "Settings and versions", id="settings"), pairs(rows)]
    runs: dict[str, list[ImageSummary]] = {}
    for summary in summaries:
        if summary.provenance:
            settings = json.dumps([summary.provenance.get(part) for part in ("version", "settings")], default=str)
            runs.setdefault(settings if brief else str(len(runs)), []).append(summary)
    for first, *others in runs.values():
        more = f" and {len(others)} other{'' if len(others) == 1 else 's'}" if others else ""
        parts.append(element("h3", f"{first.name}{more}"))
        parts.append(_run(first.provenance))
    return joined(parts)


def _run(record: Any) -> Markup:
    """Return the main settings of a run, and its whole record folded away."""
    model = dict(record.get("model") or {})
    rows: list[tuple[Any, Any]] = [
        (label, record[key]) for key, label in (("operation", "Run"), ("created", "Made")) if record.get(key)
    ]
    if record.get("version"):
        rows.append(("With", f"{record.get('program', 'napari-mpseg')} {record['version']}"))
    rows += [("Model", model["name"])] if model.get("name") else []
    rows += [("Model digest", model["digest"])] if model.get("digest") else []
    rows += [(heading(name), _plain(value)) for name, value in dict(record.get("settings") or {}).items()]
    text = json.dumps(dict(record), indent=2, ensure_ascii=False, default=str)
    return joined([pairs(rows), element("details", element("summary", "The whole record"), element("pre", text))])


def _plain(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_plain, value)) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{heading(str(name)).lower()} {_plain(each)}" for name, each in value.items())
    return f"{value:g}" if isinstance(value, float) else str(value)
