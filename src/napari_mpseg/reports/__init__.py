"""What is told of an image: averages, counts, figures, in one page and as tables."""
