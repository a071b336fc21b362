"""Fixtures of a small cluster, which tests of its speed have too."""

from ray_fixtures import *  # noqa: F403
