"""Scores: pure functions from arrays and truth to numbers."""
