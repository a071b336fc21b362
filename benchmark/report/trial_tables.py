"""Tables of what a number of trials can tell, from the statistics alone."""

from __future__ import annotations

from math import sqrt

from motifidelity.report.markdown import head, line
from motifidelity.statistics import power, quantile_at

TRIALS = (3, 5, 10)
MODELS = (2, 8, 20)
# SD over trials as a share of the margin
SPREADS = (0.1, 0.25, 0.5, 1.0)


def told_table() -> str:
    """The least measured difference that is told, in SD of the residuals."""
    lines = head(["models", *(f"{trials} trials" for trials in TRIALS)])
    for models in MODELS:
        widths = [
            quantile_at(0.95, models, (trials - 1) * (models - 1)) / sqrt(trials)
            for trials in TRIALS
        ]
        lines.append(line([str(models), *(f"{width:.1f} SD" for width in widths)]))
    return "\n".join(lines)


def equivalence_table() -> str:
    """How often equal models, and models a margin apart, are shown to be alike."""
    headings = [f"SD {spread:g} of the margin" for spread in SPREADS]
    lines = head(["models", "trials", *headings])
    for models in MODELS:
        for trials in TRIALS:
            freedom = (trials - 1) * (models - 1)
            cells = []
            for spread in SPREADS:
                error = spread * sqrt(2 / trials)
                equal, apart = (power(1.0, error, freedom, by) for by in (0.0, 1.0))
                cells.append(f"{equal:.2f} / {apart:.3f}")
            lines.append(line([str(models), str(trials), *cells]))
    return "\n".join(lines)
