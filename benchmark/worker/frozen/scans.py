"""The filter scan of a frozen network: which tensors hold it, and which base each value lies on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Part:
    """Filters of one tensor, and the bases that its values lie on.

    Attributes
    ----------
    before, after : str
        Tensors before and after the activation, of one shape. Their first axis holds the sequences,
        or several rows of each.
    axes : (int, int)
        The axes of positions and of filters; any other has extent 1.
    channels : tuple of int
        What is read along the axis of filters.
    filters : tuple of int
        Which filter of the scan each of them is.
    bases : tuple of int
        Base of each position, row by row: the one under the middle of the filter, -1 outside of the
        sequence.
    rows : int
        Rows of one sequence along the first axis: windows of it, or its two strands.
    dealt : bool
        Whether the first axis holds the first row of all sequences, then the second, and so on;
        else the rows of one sequence stand together.
    again : tuple of int
        Rows that read another strand, with filters that read one in other rows or parts.
    """

    before: str
    after: str
    axes: tuple[int, int]
    channels: tuple[int, ...]
    filters: tuple[int, ...]
    bases: tuple[int, ...]
    rows: int = 1
    dealt: bool = False
    again: tuple[int, ...] = ()

    def by_row(self, values: Any) -> Floats:
        """Values (n, rows, positions, channels) of a tensor (n x rows, ...)."""
        positions, filters = self.axes
        found = np.moveaxis(np.asarray(values), (positions, filters), (-2, -1))
        found = found.reshape(len(found), *found.shape[-2:])
        if self.channels != tuple(range(found.shape[-1])):
            found = found[..., list(self.channels)]
        shape = (self.rows, -1) if self.dealt else (-1, self.rows)
        split = found.reshape(*shape, *found.shape[-2:])
        return np.swapaxes(split, 0, 1) if self.dealt else split

    @cached_property
    def places(self) -> NDArray[np.intp]:
        """Bases (rows, positions), -1 outside of the sequence."""
        return np.array(self.bases, np.intp).reshape(self.rows, -1)


@dataclass(frozen=True)
class Scan:
    """First-layer filter scan inside a frozen network.

    Attributes
    ----------
    filters : int
        One convolution that is called several times is read as the same filters.
    parts : tuple of Part
    """

    filters: int
    parts: tuple[Part, ...]

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Scan:
        """A scan as JSON holds it, also as it was held when it had one tensor and a stride."""
        if "parts" in raw:
            parts = []
            for part in raw["parts"]:
                held: dict[str, Any] = {
                    k: tuple(v) if isinstance(v, list) else v for k, v in part.items()
                }
                parts.append(Part(**held))
            return cls(raw["filters"], tuple(parts))
        every = tuple(range(raw["filters"]))
        bases = tuple(raw["first"] + raw["stride"] * i for i in range(raw["positions"]))
        axes = (2, 1) if raw.get("channels_first") else (1, 2)
        return cls(raw["filters"], (Part(raw["before"], raw["after"], axes, every, every, bases),))

    @property
    def bases(self) -> NDArray[np.intp]:
        """Bases that any filter's middle lies on, in order."""
        read = [np.delete(part.places, part.again, axis=0).ravel() for part in self.parts]
        found = np.unique(np.concatenate(read))
        return found[found >= 0]

    def spread(self, tensors: Sequence[Any], length: int) -> tuple[Floats, Floats | None]:
        """Lay a scan's values on the bases of the sequences.

        Parameters
        ----------
        tensors : sequence of arrays
            The parts' tensors for n sequences.
        length : int

        Returns
        -------
        values (n, length, filters) float32
            The highest of the values of a filter at a base; minus infinity where it has none.
        again (n, length) float32 or None
            The highest value of any filter on the strand that is read once more.
        """
        alone = self.parts[0]
        plain = alone.rows == 1 and alone.bases == tuple(range(length))
        if plain and alone.filters == tuple(range(self.filters)) and len(self.parts) == 1:
            return alone.by_row(tensors[0]).astype(np.float32, copy=False)[:, 0], None
        values: Floats | None = None
        again: Floats | None = None
        for part, tensor in zip(self.parts, tensors, strict=True):
            rows = part.by_row(tensor)
            if values is None:
                values = np.full((len(rows), length, self.filters), -np.inf, np.float32)
            for row, places in enumerate(part.places):
                inside = places >= 0
                if row not in part.again:
                    _raise_to(values, rows[:, row, inside], places[inside], part.filters)
                    continue
                if again is None:
                    again = np.full((len(rows), length), -np.inf, np.float32)
                _raise_to(
                    again[..., None], rows[:, row, inside].max(axis=2, keepdims=True),
                    places[inside], (0,),
                )  # fmt: skip
        assert values is not None
        return values, again


def _raise_to(values: Floats, found: Any, places: NDArray[np.intp], filters: Sequence[int]) -> None:
    """Raise values (n, length, filters) to those found (n, positions, channels) at their places."""
    where: Any = (slice(None), places[:, None], np.array(filters)[None])
    if len(np.unique(places)) < len(places):
        np.maximum.at(values, where, found.astype(np.float32))
    else:
        values[where] = np.maximum(values[where], found)
