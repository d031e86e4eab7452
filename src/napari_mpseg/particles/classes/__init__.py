"""What kind of particle: shape rules, and classifiers trained from classes that a user gave."""
