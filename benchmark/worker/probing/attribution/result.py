"""What an attribution method is, what it returns, and how it says that it cannot.

A method's module declares it in `METHODS`. The host reads the declarations too, so that such a
module imports TensorFlow only while it explains.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from ...frozen.network import FrozenNetwork

Settings = Mapping[str, Any]
# called with an event and its values, as `report.Reporter` is
Report = Callable[..., None]

# of methods with references
SHUFFLED: Settings = {
    "reference": "dinucleotide",
    "references": 10,
    "seed": 0,
    "hypothetical": False,
}
SHARE = "share of the base in the difference between the sequence's logit and {reference}, "
CONTRIBUTION = (
    "the contribution of a base stands at its letter, the reference's share included, so that this "
    "entry alone is complete; it is the same entry of hypothetical contributions"
)
NORM = "zero at the letter that is there; the study takes the norm of the three changes"


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
    by_gradient : str
        Operations that have no rule of the method's, where the gradient was taken instead.
    """

    maps: Any
    completeness: Any = None
    hypothetical: Any = None
    by_gradient: str = ""


@dataclass(frozen=True, kw_only=True)
class Method:
    """An attribution method: how it explains, what its maps mean, which scores they allow.

    Attributes
    ----------
    explain : callable
        Explains every class of sequences (n, length, 4) float32.
    name : str
        In specifications and results.
    label : str
        As people write it.
    summary : str
        What the map is, with its source; for the list of methods.
    meaning : str
        What the height of a letter stands for where a map is drawn; ``{reference}`` is replaced by
        what the map is against. "": never drawn.
    base : {"observed", "norm"}
        The importance of a base: the entry of the letter that is there (sum over letters of map x
        one-hot), or the L2 norm over letters.
    entry : str
        What a map consists of, to say that it is zero everywhere.
    reason : str
        Why `base` is what it is.
    quantity : {"gradient", "changes", "contribution"} or None
        What the entries are, which decides how a map is read otherwise than as `base` says
        (`metrics.readings`); None: it has no other reading.
    letters : bool
        The map says for each of the 4 letters what it would do at its place, up to a constant per
        place. False: only the observed letter has an entry; hypothetical contributions, where a
        method has them, are an array of their own.
    study : str or None
        The name under which the study's scores of these maps are reported; None where the study
        has no such method.
    paper_maps : bool
        The maps are the study's own variant, and have no corrected score.
    complete : bool
        The sum of a map should be the difference of logits, and its error comes with it.
    defaults : mapping
        Settings that it takes, with their values where a specification has none.
    cheapest : mapping
        Settings with which it is tried out: whether it works, not what comes out.
    """

    explain: Callable[[FrozenNetwork, Any, Settings, Report], AttributionResult] = field(
        kw_only=False
    )
    name: str
    label: str
    summary: str
    meaning: str = ""
    base: Literal["observed", "norm"]
    entry: str = "gradient"
    reason: str
    quantity: Literal["gradient", "changes", "contribution"] | None = None
    letters: bool = False
    study: str | None = None
    paper_maps: bool = False
    complete: bool = False
    defaults: Settings = field(default_factory=dict)
    cheapest: Settings = field(default_factory=dict)

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
