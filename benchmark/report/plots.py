"""Writing the figures of a registry's pages as files."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import cast

from motifidelity.errors import DataError, UserError
from motifidelity.metrics.declare import all_metrics
from motifidelity.registry import Registry

# the study's figures, and the front page's picture
STUDY = ("figures.html", "index.html")


def write_figures(
    registry: Registry,
    out: Path,
    forms: Sequence[str] = ("svg",),
    pages: Sequence[str] = (),
    scale: float = 3.0,
    *,
    each: bool = False,
    note: Callable[[str], None] = lambda _: None,
) -> list[Path]:
    """Write figures of a registry.

    Parameters
    ----------
    registry : Registry
    out : Path
        Folder of the files; made when it is missing.
    forms : sequence of {"svg", "png", "pdf"}
    pages : sequence of str
        Patterns of pages whose figures are wanted; default: `STUDY`.
    scale : float
        Pixels of a PNG per CSS pixel.
    each : bool
        A file of every filter too, beside the sheets.
    note : callable
        Receives, before anything is written, a line that says how many files there will be.

    Returns
    -------
    list of Path

    Raises
    ------
    UserError
        If no page fits, no figure is there, or PNG and PDF cannot be made here.
    DataError
        If the folder cannot be written.
    """
    from motifidelity.leaderboard import draw_figures
    from motifidelity.leaderboard.figures.alone import Form, convert
    from motifidelity.scoring.evidence import stored_evidence

    found = registry.readable()
    for problem in found.problems:
        print(f"bench: {problem}", file=sys.stderr)
    metrics, evidence = all_metrics(), partial(stored_evidence, registry)
    drawn = list(
        draw_figures(found.tables, pages or STUDY, metrics=metrics, evidence=evidence, each=each)
    )
    wanted = list(dict.fromkeys(forms))
    if drawn:
        number = len(drawn) * len(wanted)
        note(f"{number} file{'s' if number != 1 else ''} into {out}")
    written: list[Path] = []
    for figure in drawn:
        for form in wanted:
            content = convert(figure.svg, cast(Form, form), scale)
            path = out / f"{figure.name}.{form}"
            try:
                out.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            except OSError as error:
                raise DataError(
                    f"{path}: cannot be written ({error.strerror or error}); choose another "
                    "folder with --out"
                ) from error
            written.append(path)
    if not written:
        raise UserError(
            f"registry {registry.name}: nothing to draw on {', '.join(pages or STUDY)}; the "
            "study's figures need a finished run of the full profile, and pages are named as in "
            "'bench leaderboard build', such as 'models/*'"
        )
    return written
