"""Writing the site: templates, pages and the files copied beside them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import jinja2
import pandas as pd
from markupsafe import Markup

from . import cells, columns, curves, logo, match, scatter, tracks
from .board import legend, make_boards
from .dossier import make_page
from .pages import EvidenceOf, Material, Page
from .rows import page_name
from .summary import summarise
from .tables import REQUIRED, MetricInfo, Tables
from .taskpage import task_pages
from .text import clean

HERE = Path(__file__).parent

Maker = Callable[[Material], Iterable[Page]]


def write_site(
    tables: Tables,
    out_dir: Path,
    *,
    metrics: Mapping[str, MetricInfo],
    evidence: EvidenceOf | None = None,
) -> Path:
    """Write all pages; see `motifidelity.leaderboard.render`."""
    material = gather(tables, metrics, evidence)
    environment = make_environment()
    for maker in MAKERS:
        for page in maker(material):
            text = environment.get_template(page.template).render(root=page.root, **page.draw())
            _write(out_dir / page.path, text)
    _copy_static(out_dir / "static")
    return out_dir / "index.html"


def gather(
    tables: Tables, metrics: Mapping[str, MetricInfo], evidence: EvidenceOf | None = None
) -> Material:
    """Arrange the registry for the makers of pages."""
    summary = summarise(tables)
    return Material(
        summary=summary,
        stats=cells.index_stats(summary.scores),
        filters=tables.filters.reindex(columns=REQUIRED["filters"]),
        history=tables.history.reindex(columns=REQUIRED["history"]),
        metrics=metrics,
        evidence=evidence or (lambda _: None),
    )


def front_page(material: Material) -> Iterable[Page]:
    """The page that people come to."""
    summary = material.summary
    yield Page(
        "index.html",
        "index.html",
        None,
        lambda: {
            "boards": make_boards(summary, material.filters, material.metrics),
            "legend": legend(summary, material.metrics),
            "num_results": len(summary.trials),
            "num_failed": int((summary.trials["status"] != "ok").sum()),
        },
    )


def model_pages(material: Material) -> Iterable[Page]:
    """A page for every model with its parameters."""
    for _, trials in material.summary.trials.groupby("model_key", sort=True):

        def draw(trials: pd.DataFrame = trials) -> Mapping[str, object]:
            return {"page": make_page(trials, material)}

        yield Page(f"models/{page_name(trials.iloc[0])}", "model.html", None, draw)


# every kind of page, in the order of writing
MAKERS: tuple[Maker, ...] = (model_pages, task_pages, front_page)


def make_environment() -> jinja2.Environment:
    """Templates with escaping on everywhere, and with hidden characters made visible."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals.update(
        bar_width=cells.BAR_WIDTH,
        describe=cells.describe,
        arrow=cells.arrow,
        families=columns.FAMILIES,
        curves={"width": curves.WIDTH, "height": curves.HEIGHT},
        glyphs=logo.GLYPHS,
        logo_height=logo.HEIGHT,
        pair={"height": match.pair_height(), "below": logo.HEIGHT + match.GAP},
        tracks={"width": tracks.WIDTH, "labels": tracks.LABELS},
        scatter={"size": scatter.SIZE, "low_x": scatter.LOW_X},
    )
    return environment


def _finalize(value: object) -> object:
    """Clean whatever text is printed; markup made by the templates themselves passes."""
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8"))
    return path


def _copy_static(target: Path) -> None:
    source = HERE / "static"
    for path in sorted(source.rglob("*")):
        if path.is_file():
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
