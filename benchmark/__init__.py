"""Motifidelity: does a genomic network's accuracy rest on representations that can be trusted?"""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"
__all__ = ["__version__", "results"]


def __getattr__(name: str) -> Any:
    """Load what is public only when it is used: ``import motifidelity`` stays light."""
    if name == "results":
        from motifidelity.summary.query import results

        return results
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
