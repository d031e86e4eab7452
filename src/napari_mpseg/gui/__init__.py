"""Widgets, readers and writers for napari: the only place that imports napari, Qt or magicgui."""
