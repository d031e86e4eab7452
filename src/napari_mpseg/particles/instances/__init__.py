"""From a mask or a probability to instances: components, clean-up, watersheds, joining of broken strands."""
