"""Several methods over several images: one table, one picture, times and memory."""
