"""Which runtime ``"auto"`` is: found out once, so that every part has the same, whatever the size of its image."""

from dataclasses import replace

from scale import inputs, networks
from scale.bench import Bench
from scale.registry import PARTS, Figures
from scale.settings import Settings

AUTO = "auto"


@PARTS.register("fastest runtime")
def fastest_runtime(settings: Settings) -> Figures:
    """Calibrate on the filter, as a run on it would; what is found is kept by the package for the runs to come."""
    ready = networks.prepared(settings, inputs.filter_pixels(settings))
    return {"runtime": networks.runtime_of(ready), "tile": networks.tile_side(ready, settings)}


def settle_runtime(bench: Bench) -> None:
    """Replace ``"auto"`` in the settings by its name."""
    if bench.settings.runtime == AUTO:
        name = bench.run("fastest runtime")["runtime"]
        bench.settings = replace(bench.settings, runtime=name)
