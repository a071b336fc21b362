"""Logits of all substitutions, computed only where one changes a network's values."""
