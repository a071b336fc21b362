"""What an attribution method returns, and how it says that it cannot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ...frozen.network import FrozenNetwork

Settings = Mapping[str, Any]
# called with an event and its values, as `report.Reporter` is
Report = Callable[..., None]


class NotSupported(Exception):
    """The network holds an operation that this method has no exact rule for."""


@dataclass(frozen=True)
class AttributionResult:
    """Maps of one method.

    Attributes
    ----------
    maps : ndarray (n, length, 4, classes) float32
        In logits (per unit of input for gradients).
    completeness : ndarray (n, classes) float32, optional
        Sum of contributions minus (logit of the sequence - mean logit of its references), in
        logits; zero for an exact map.
    hypothetical : ndarray (n, length, 4, classes) float32, optional
        Contribution that each letter would have at its position, with the multipliers of the
        letters that are there.
    """

    maps: Any
    completeness: Any = None
    hypothetical: Any = None


@dataclass(frozen=True)
class Method:
    """An attribution method and the settings that it takes, with their defaults."""

    explain: Callable[[FrozenNetwork, Any, Settings, Report], AttributionResult]
    defaults: Settings

    def __call__(
        self, network: FrozenNetwork, one_hot: Any, settings: Settings, report: Report
    ) -> AttributionResult:
        """Explain every class of sequences (n, length, 4) float32.

        Raises
        ------
        NotSupported
            If the network holds an operation that the method has no rule for.
        ValueError
            If a setting is unknown.
        """
        unknown = sorted(set(settings) - set(self.defaults))
        if unknown:
            raise ValueError(
                f"no setting {', '.join(unknown)}; choose from {', '.join(self.defaults) or 'none'}"
            )
        return self.explain(network, one_hot, {**self.defaults, **settings}, report)
