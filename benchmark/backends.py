"""Keras's backends as the host knows them: which there are, and whether a place has one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from motifidelity.errors import unknown

DEFAULT_BACKEND = "tensorflow"
# the package that each one is
BACKENDS = ("tensorflow", "jax", "torch")


def known_backend(name: str) -> str:
    """The name itself.

    Raises
    ------
    UserError
        If Keras has no such backend here.
    """
    if name not in BACKENDS:
        raise unknown("backend", name, BACKENDS)
    return name


def how_to_install(backend: str) -> str:
    """The command that installs a backend, and what it brings unasked."""
    cuda = " (with CUDA, unless a CPU build of PyTorch is installed first)"
    return f"pip install 'motifidelity[{backend}]'{cuda if backend == 'torch' else ''}"


def named_on(name: str, backend: str) -> str:
    """A name with its backend where that is not the default one: ``CNN-deep on jax``."""
    return f"{name} on {backend}" if backend in BACKENDS and backend != DEFAULT_BACKEND else name


def backend_of(row: Mapping[str, Any]) -> str:
    """The backend of a submitted job; a folder of an earlier version says nothing of it."""
    return row.get("backend") or DEFAULT_BACKEND
