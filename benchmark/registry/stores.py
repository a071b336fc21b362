"""The store of a registry's location: a folder, or a prefix of an S3 bucket."""

from __future__ import annotations

import re
from pathlib import Path

from motifidelity.errors import UserError
from motifidelity.registry.disk import LocalStore
from motifidelity.registry.store import S3_PREFIX, Store


def open_store(location: str | Path) -> Store:
    """The store of a registry's location: a folder or ``s3://bucket/prefix``.

    Raises
    ------
    UserError
        If the location is an address of something else.
    """
    if isinstance(location, str) and location.startswith(S3_PREFIX):
        from motifidelity.registry.s3 import S3Store

        return S3Store(location)
    if isinstance(location, str) and re.match(r"[a-z][a-z0-9+.-]+://", location):
        raise UserError(f"registry {location}: give a folder or s3://bucket/prefix")
    return LocalStore(Path(location))
