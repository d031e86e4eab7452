"""The experiments of the papers on any data folder: how it is split, trained, kept, tested and scored."""
