"""Labelled images: from folders, in other channels, smaller, made, and their statistics."""
