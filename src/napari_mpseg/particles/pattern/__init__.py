"""How particles lie: distances, and tests for complete spatial randomness."""
