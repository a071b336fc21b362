"""Motifs as matrices, and how they are compared."""
