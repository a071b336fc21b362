"""What a registry asks of the place where its files lie.

A file is written as a whole or not at all, so that a reader never sees half of one: a folder
renames a flushed temporary file (`disk`), an object of S3 appears when its upload is complete.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from motifidelity.errors import UnreachableError

S3_PREFIX = "s3://"


@dataclass(frozen=True)
class Entry:
    """A file that a listing found: bytes, seconds since 1970, and whether it is a plain file."""

    path: str
    size: int
    modified: float
    plain: bool = True


class StoreError(OSError):
    """Trouble of a store that is not the local disk's: its cause, and what mends it.

    ``answered`` tells whether the store gave an answer at all.
    """

    def __init__(self, cause: str, remedy: str, answered: bool) -> None:
        super().__init__(cause)
        self.remedy = remedy
        self.answered = answered

    def unreachable(self, place: str) -> UnreachableError:
        """The same as one line for the user, who knows the place by its name."""
        return UnreachableError(f"{place}: {self}; {self.remedy}")


class Store(Protocol):
    """Files by their path below the registry's root, with ``/`` between folders.

    Every method raises ``OSError`` (``FileNotFoundError`` for a file that is not there).
    """

    @property
    def name(self) -> str:
        """How messages name the registry."""
        ...

    @property
    def readers(self) -> int:
        """How many files are worth reading at once."""
        ...

    def check(self) -> None:
        """Raise ``UserError`` where there is nothing that could be read."""
        ...

    def prepare(self) -> None:
        """Make sure that files can be written."""
        ...

    def read(self, path: str) -> bytes:
        """A file's content."""
        ...

    def write(self, path: str, content: bytes) -> None:
        """Write a file as a whole, over an older one if there is any."""
        ...

    def promote(self, source: str, target: str, content: bytes) -> None:
        """Give a file of this content its final name; at no moment is neither of the two there."""
        ...

    def delete(self, path: str) -> None:
        """Remove a file; nothing happens where there is none."""
        ...

    def exists(self, path: str) -> bool:
        """Whether a file is there."""
        ...

    def files(self, folder: str = "") -> dict[str, Entry]:
        """Every file below a folder by its path, those with hidden names included."""
        ...
