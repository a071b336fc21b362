"""Text and numbers for people; everything that came with a submission is hostile until here."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from motifidelity.summary.names import parameters
from motifidelity.untrusted import clean

DASH = "\N{EN DASH}"


def clip(value: object, limit: int = 60) -> str:
    """Text of at most `limit` characters before cleaning; what is cut is counted."""
    text = "" if is_missing(value) else str(value)
    if len(text) <= limit:
        return clean(text)
    return f"{clean(text[:limit].rstrip())}… ({len(text) - limit:,} more characters)"


def shorten(value: object, limit: int = 40) -> str:
    """Text of at most `limit` characters before cleaning, with an ellipsis where it was cut."""
    text = "" if is_missing(value) else str(value)
    return clean(text) if len(text) <= limit else f"{clean(text[:limit].rstrip())}…"


def is_missing(value: object) -> bool:
    """True for None, nan, NaT and pandas' NA."""
    if value is None:
        return True
    try:
        return bool(value != value)
    except (TypeError, ValueError):
        return type(value).__name__ == "NAType"


def safe_url(value: object) -> str | None:
    """The address when it is an ordinary http or https link, else None."""
    if is_missing(value):
        return None
    url = str(value).strip()
    if len(url) > 500 or clean(url) != url or re.search(r"[\s\\\"'<>`]", url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme.lower() not in {"http", "https"} or not parts.hostname or parts.username:
        return None
    return url


def slug(name: str, digest: str) -> str:
    """File name without suffix: ASCII letters, digits and dashes, ending in part of a digest.

    The digest makes names unique and keeps them clear of the names that file systems reserve.
    """
    words = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40].strip("-")
    return f"{words or 'model'}-{digest[:12]}"


def file_name(*parts: str) -> str:
    """Name of a figure's file without suffix: ASCII letters, digits and dashes; "" of nothing."""
    words = re.sub(r"[^a-z0-9]+", "-", " ".join(parts).lower())
    return words.strip("-")[:120].strip("-")


def text_digest(value: str) -> str:
    """SHA-256 of any text, lone surrogates included, in hexadecimal."""
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()


def parse_params(params: str) -> tuple[str | None, tuple[tuple[str, str], ...]]:
    """Split a run's parameters into its activation and the rest.

    Parameters
    ----------
    params : str
        Canonical JSON; anything else is shown as it stands.

    Returns
    -------
    activation : str or None
    others : tuple of (name, value)
        Sorted by name; values as JSON, strings bare.
    """
    pairs = parameters(params)
    return pairs.pop("activation", None), tuple(pairs.items())


def flatten(environment: object) -> tuple[tuple[str, str], ...]:
    """Flatten an environment (JSON text) to dotted names; unreadable text is one entry."""
    if is_missing(environment) or environment == "":
        return ()
    try:
        loaded = json.loads(str(environment))
    except (ValueError, RecursionError):
        loaded = None
    if not isinstance(loaded, dict):
        return (("environment", str(environment)),)
    pairs: list[tuple[str, str]] = []
    for key, value in sorted(loaded.items()):
        if isinstance(value, dict):
            pairs += [(f"{key}.{inner}", _bare(item)) for inner, item in sorted(value.items())]
        else:
            pairs.append((key, _bare(value)))
    return tuple(pairs[:80])


def number(value: float, *, whole: bool = False) -> str:
    """A score: three decimals, or one where the metric counts things."""
    if not math.isfinite(value):
        return DASH
    return f"{value:z.1f}" if whole else f"{value:z.3f}"


def percent(value: float) -> str:
    """The length of a bar from 0 to 1 in percent, cut off at either end; "" where there is none."""
    return f"{100 * min(max(value, 0.0), 1.0):.0f}" if math.isfinite(value) else ""


def signed(value: float, digits: int = 2) -> str:
    """A difference, with its sign where it does not round to 0; a dash where there is none."""
    if not math.isfinite(value):
        return DASH
    text = f"{value:+z.{digits}f}"
    return text.replace("-", "\N{MINUS SIGN}") if float(text) else text.removeprefix("+")


def stretches(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Distinct numbers in order, as (first, count) of consecutive ones."""
    found: list[tuple[int, int]] = []
    for number in sorted(set(numbers)):
        if found and number == sum(found[-1]):
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((number, 1))
    return found


def trials_of(trials: Iterable[int], seeds: Iterable[int]) -> str:
    """Trials by their numbers, such as ``trials 0–2``, and their seeds where those are others."""
    numbers, given = set(trials), set(seeds)
    told = _counted("trial", numbers)
    return told if numbers == given else f"{told}, {_counted('seed', given)}"


def _counted(noun: str, numbers: set[int]) -> str:
    listed = [f"{a}" if n == 1 else f"{a}{DASH}{a + n - 1}" for a, n in stretches(numbers)]
    return f"{noun}{'' if len(numbers) == 1 else 's'} {', '.join(listed)}"


def seconds(value: object) -> str:
    """A duration, such as ``48 s`` or ``12 min 05 s``."""
    if is_missing(value):
        return DASH
    total = round(float(str(value)))
    if total < 100:
        return f"{total} s"
    minutes, rest = divmod(total, 60)
    return f"{minutes} min {rest:02d} s" if minutes < 100 else f"{total / 3600:.1f} h"


def memory(value: object) -> str:
    """A size in bytes as GiB or MiB."""
    if is_missing(value):
        return DASH
    size = float(str(value))
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.0f} MiB"


def evalue(value: object, limit: float | None = None) -> str:
    """An E-value with two significant digits, or more where two would put it beyond the limit.

    Parameters
    ----------
    value : float or missing
    limit : float, optional
        Largest E-value that counts as a hit.

    Returns
    -------
    str
        Never rounded across the limit: what lies above it by less than four digits can tell is
        ``> 0.1``.
    """
    if is_missing(value):
        return DASH
    exact = float(str(value))
    for digits in (2, 3, 4):
        text = f"{exact:.{digits}g}"
        if limit is None or (float(text) <= limit) == (exact <= limit):
            return text
    return f"> {limit:g}"


def _bare(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
