"""Corrections of a region by hand, written back into labels on disk: all of one or none, and each can be taken back."""
