"""Baseline networks of the reference study; each file is a valid ``--model`` argument."""
