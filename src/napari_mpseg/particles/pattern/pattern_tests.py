"""All tests of the point pattern, in the order in which they are offered."""

from napari_mpseg.particles.pattern.biovoxxel import BIOVOXXEL
from napari_mpseg.particles.pattern.clark_evans import CLARK_EVANS, DONNELLY
from napari_mpseg.particles.pattern.functions import G_FUNCTION, L_FUNCTION
from napari_mpseg.particles.pattern.pattern_test import PATTERN_TESTS, PatternTest

DEFAULT_TEST = "clark-evans"

for test in (CLARK_EVANS, DONNELLY, G_FUNCTION, L_FUNCTION, BIOVOXXEL):
    PATTERN_TESTS.add(test.name, test)

__all__ = ["DEFAULT_TEST", "PATTERN_TESTS", "PatternTest"]
