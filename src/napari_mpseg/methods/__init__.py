"""Every way from an image to a mask, one file each, behind one protocol and one registry."""

from napari_mpseg.methods.registry import METHODS, MethodEntry, resolve_method

__all__ = ["METHODS", "MethodEntry", "resolve_method"]
