"""Which parts of the images a network sees: windows, random crops, samplers, splits."""
