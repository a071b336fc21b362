"""Regression of committed baselines: what is checked, with which tolerance, what drifted."""
