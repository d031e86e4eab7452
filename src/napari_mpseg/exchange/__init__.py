"""Particles in the formats of other programs."""
