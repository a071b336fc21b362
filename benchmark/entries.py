"""What the entries are called that stand beside the models: ceilings and floors."""

from __future__ import annotations

DIVISION = "reference"
"""Division of the entries that are no network."""

ORACLE, RANDOM = "Oracle", "Random"

GC_CONTENT, KMER_REGRESSION = "GC content", "6-mer regression"
RIVALS = (GC_CONTENT, KMER_REGRESSION)
"""What counting letters does, without a network; recorded where a specification asks for them."""

FLOOR_NETWORKS = ("Untrained", "Shuffled labels")
"""Floors that are networks: submissions like any other, but never ranked among models."""
CLOSED, OPEN = "closed", "open"
"""Divisions of the models: trained by the task's recipe, or otherwise."""
# begins the warning of a row whose network was trained elsewhere
GIVEN = "weights were given, not trained here"
# and of one whose model's class took part in its training
OWN_TRAINING = "its class brings its own"
