"""The study's grid as data: its parts, models, activations and trials."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources


@dataclass(frozen=True)
class Part:
    """One part of the grid: every model with every activation, so many trials each.

    Attributes
    ----------
    name, summary : str
    models, activations : tuple of str
    trials : int
        Trials of a cell, where nobody asks for another number.
    optional : bool
        Run only when asked for by name.
    fixed : mapping
        Values of other parameters.
    sweep : mapping
        At most one more parameter, and the values that it goes through.
    """

    name: str
    summary: str
    models: tuple[str, ...]
    activations: tuple[str, ...]
    trials: int
    optional: bool = False
    fixed: Mapping[str, object] = field(default_factory=dict)
    sweep: Mapping[str, Sequence[object]] = field(default_factory=dict)

    def cells(self) -> Iterator[Cell]:
        """Its cells, in the order in which they are run."""
        steps = [{name: value} for name, values in self.sweep.items() for value in values]
        for model in self.models:
            for activation in self.activations:
                for step in steps or [{}]:
                    yield Cell(model, activation, {**self.fixed, **step}, step)


@dataclass(frozen=True)
class Cell:
    """A model with parameters; ``step`` are those that are swept."""

    model: str
    activation: str
    others: Mapping[str, object]
    step: Mapping[str, object]

    def fits(self, pattern: str) -> bool:
        """Whether a pattern names the cell, or all cells of its model and activation."""
        name = f"{self.model}/{self.activation}"
        more = "".join(f"/{key}={value}" for key, value in self.step.items())
        return fnmatchcase(name, pattern) or fnmatchcase(name + more, pattern)

    def parameters(self) -> tuple[str, ...]:
        """As ``--param`` takes them."""
        return (f"activation={self.activation}", *(f"{k}={v}" for k, v in self.others.items()))


@dataclass(frozen=True)
class Study:
    """The grid, and the task that each model is trained on."""

    tasks: Mapping[str, str]
    parts: Mapping[str, Part]


@cache
def read_study() -> Study:
    """The study's grid as it is declared in ``study.toml``."""
    text = (resources.files("motifidelity.study") / "study.toml").read_text(encoding="utf-8")
    raw = tomllib.loads(text)
    groups = raw["activations"]
    parts = [
        Part(
            **{
                **part,
                "models": tuple(part["models"]),
                "activations": tuple(groups[part["activations"]]),
            }
        )
        for part in raw["part"]
    ]
    return Study(raw["tasks"], {part.name: part for part in parts})
