"""The scores that a person reads first."""

from __future__ import annotations

# one line a score: what a person reads first, in the order of the families
HEADLINES = (
    ("accuracy", "auroc", None, "AUROC"),
    ("accuracy", "aupr", None, "AUPR"),
    ("filters", "match_any", None, "filters that match any known motif"),
    ("filters", "match_fraction", None, "filters that match a true motif"),
    ("filters", "motifs_found", None, "true motifs found"),
    ("localisation", "localisation_auroc", "filter", "localisation AUROC of the filters"),
    ("localisation", "localisation_auroc", "pwm", "  the same of the true PWMs"),
    ("attribution", "attribution_auroc", "saliency", "attribution AUROC, saliency"),
    ("attribution", "attribution_auroc", "ism", "attribution AUROC, mutagenesis"),
)
