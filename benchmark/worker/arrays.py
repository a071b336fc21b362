"""What a probe leaves about the explained sequences, and the names of its arrays."""

from __future__ import annotations

from enum import StrEnum


class Part(StrEnum):
    """An array about one attribution method."""

    MAPS = ""
    COMPLETENESS = "completeness"
    HYPOTHETICAL = "hypothetical"
    DELETION = "deletion"
    INSERTION = "insertion"
    RANDOMISED = "randomised"
    RANDOMISED_HYPOTHETICAL = "randomised_hypothetical"
    # made of the maps by the host, which knows the labels
    BY_CLASS = "by_class"
    HYPOTHETICAL_BY_CLASS = "hypothetical_by_class"
    OF_OUTPUTS = "of_outputs"
    # of sequences of extra test sets
    EXTRA = "extra"
    HYPOTHETICAL_EXTRA = "hypothetical_extra"
    NEGATIVES = "negatives"
    HYPOTHETICAL_NEGATIVES = "hypothetical_negatives"

    def of(self, method: str, reading: str = "") -> str:
        """The array's name: the method's own for its maps, else such as ``ism_deletion``.

        That of a curve in the order of another reading than the method's own names it:
        ``ism_signed_deletion``.
        """
        return "_".join(word for word in (method, reading, str(self)) if word)


CURVES = (Part.DELETION, Part.INSERTION)
RANDOMISED = (Part.RANDOMISED, Part.RANDOMISED_HYPOTHETICAL)
OF_EXTRA = (Part.EXTRA, Part.HYPOTHETICAL_EXTRA)
# of the network, whatever explains it
PATH_INTEGRALS, PATH_CHANGES = "path_integrals", "path_changes"
# answers to all test sequences, where the filter scan alone sees them
SCAN_LOGITS = "scan_logits"
# answers to designed and changed sequences, where some are asked about
ASKED, ASKED_LOGITS = "asked", "asked_logits"
# sequences that are explained besides, where there are some
EXTRA = "extra"
# a network as it was frozen before its training, and the strongest sites of its filters
UNTRAINED = "untrained"
UNTRAINED_SITES = f"{UNTRAINED}_top_sites"
