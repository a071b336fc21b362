"""Keras's backends as the host knows them: which there are, and whether a place has one."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from motifidelity.errors import UserError, unknown
from motifidelity.executors.base import Executor

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


def named_on(name: str, backend: str) -> str:
    """A name with its backend where that is not the default one: ``CNN-deep on jax``."""
    return f"{name} on {backend}" if backend in BACKENDS and backend != DEFAULT_BACKEND else name


def backend_of(row: Mapping[str, Any]) -> str:
    """The backend of a submitted job; a folder of an earlier version says nothing of it."""
    return row.get("backend") or DEFAULT_BACKEND


def require_backend(backend: str, executor: Executor) -> None:
    """Check that the place where phases run has a backend.

    Raises
    ------
    UserError
        With the command that installs it.
    """
    inside = executor.place.packages
    if inside is None:
        if find_spec(backend) is None:
            raise UserError(
                f"backend {backend}: not installed here; pip install 'motifidelity[{backend}]'"
            )
    elif inside.get(backend, "not installed") == "not installed":
        raise UserError(
            f"backend {backend}: image {executor.image} has none; build one with 'bench image "
            f"build --backend {backend}'"
        )
