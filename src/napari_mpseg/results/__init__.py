"""What comes out: the result, its files, its overlay picture and its summary."""
