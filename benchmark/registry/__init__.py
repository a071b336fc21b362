"""Results as tables and bytes; no metric is known here."""

from __future__ import annotations

from motifidelity.registry.registry import Readable, Registry, Result, Tables, existing_registry

__all__ = ["Readable", "Registry", "Result", "Tables", "existing_registry"]
