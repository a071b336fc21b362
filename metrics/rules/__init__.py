"""Whether a network knows how motifs act together."""
