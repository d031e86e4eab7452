"""Ways to run a network: libraries, number formats and devices, behind one interface."""

from napari_mpseg.inference.runtimes.registry import AUTO, RUNTIMES, Margins, RunningNetwork, RuntimeEntry

__all__ = ["AUTO", "RUNTIMES", "Margins", "RunningNetwork", "RuntimeEntry"]
