"""Errors that a user can mend: one line that names the thing, the value and the remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """Something that the caller did or that their machine lacks; shown as one line."""

    exit_code = 2


class DataError(UserError):
    """A stored file (cache, registry, result) that is damaged or cannot be written."""

    exit_code = 1


class UnreachableError(DataError):
    """A registry that does not answer, or refuses to: what it holds may be sound."""


def unknown(kind: str, name: str, known: Iterable[str]) -> UserError:
    """Error for an unknown name that lists the near ones, or all of them when none is near.

    Names that come as a set, which has no order of its own, are listed by name.
    """
    names = sorted(known) if isinstance(known, (set, frozenset)) else list(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(names) or 'none'}"
    return UserError(f"unknown {kind} '{name}'; {hint}")
