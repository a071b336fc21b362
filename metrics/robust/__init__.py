"""Whether a network is misled by what is no motif, and holds elsewhere."""
