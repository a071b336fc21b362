"""The store of a registry's location: a folder, or a prefix of an S3 bucket."""

from __future__ import annotations

import os
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
        If the location is empty, an address of something else, or a file.
    """
    if isinstance(location, str) and location.startswith(S3_PREFIX):
        from motifidelity.registry.s3 import S3Store

        return S3Store(location)
    if isinstance(location, str) and re.match(r"[a-z][a-z0-9+.-]+://", location):
        raise UserError(f"registry {location}: give a folder or s3://bucket/prefix")
    if not str(location):
        raise UserError("registry '': an empty name; give a folder or s3://bucket/prefix")
    folder = Path(location)
    for path in (folder, *folder.parents):
        if os.path.isfile(path):  # noqa: PTH113 - which raises nothing
            raise UserError(
                f"registry {location}: a file stands there ({path}); give another folder with "
                "--registry"
            )
    return LocalStore(folder)
