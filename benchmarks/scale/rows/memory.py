"""Peak memory of the whole job on a small and on a large image: it must not grow with the image."""

from scale.bench import Bench
from scale.registry import ROWS, Row
from scale.rows.lazy_jobs import named
from scale.verdict import Verdict

BAR = 300.0


def measure(bench: Bench) -> list[Verdict]:
    settings, verdicts = bench.settings, []
    small, large = settings.memory_sides
    for network in (False, True):
        peak = {side: bench.known("lazy job", side=side, network=network)["peak_mib"] for side in settings.memory_sides}
        what = f"peak memory at {large}^2 above that at {small}^2 px, {named(settings, network)}"
        note = f"{peak[small]:.0f} and {peak[large]:.0f} MiB"
        verdicts.append(Verdict(what, peak[large] - peak[small], BAR, unit=" MiB", note=note))
    return verdicts


ROWS.add("memory", Row("memory", "Peak memory, small to large", measure))
