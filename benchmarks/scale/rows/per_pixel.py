"""Time per pixel of the whole job on square images of rising size, which shows what is more than linear.

The image is made when it is read, as full of particles at every size. The process has segmented a small image before,
so that loading libraries, the same for every size, does not count. Small images are repeated, of the largest one run
is long enough.
"""

from scale.bench import Bench, fastest
from scale.registry import ROWS, Row
from scale.rows.lazy_jobs import named
from scale.verdict import Verdict

BAR = 10.0


def measure(bench: Bench) -> list[Verdict]:
    settings, verdicts = bench.settings, []
    *small, largest = sorted(settings.sides)
    for network in (False, True):
        sides = {str(side): ("lazy job", {"side": side, "network": network}) for side in small}
        found = {name: fastest(runs, "ns_per_px") for name, runs in bench.in_turns(sides).items()}
        found[str(largest)] = bench.known("lazy job", side=largest, network=network)["ns_per_px"]
        low, high = min(found.values()), max(found.values())
        what = f"time per pixel, slowest above fastest of {', '.join(found)} px, {named(settings, network)}"
        note = ", ".join(f"{side} px {value:.1f} ns" for side, value in found.items()) + " per pixel"
        verdicts.append(Verdict(what, 100 * (high / low - 1), BAR, unit=" %", note=note))
    return verdicts


ROWS.add("per-pixel", Row("per-pixel", "Time per pixel, small to large", measure))
