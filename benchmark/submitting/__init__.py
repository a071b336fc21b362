"""Submitting an architecture: check a model file, make a folder of it, verify such a folder."""
