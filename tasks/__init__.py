"""Task specifications, motif database, generator and dataset cache."""
