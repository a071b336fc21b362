"""Writing the site: templates, pages and the files copied beside them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import jinja2
from markupsafe import Markup

from . import cells, columns, curves, logo, scatter
from .board import legend, make_boards
from .dossier import make_page
from .rows import page_name
from .summary import summarise
from .tables import REQUIRED, MetricInfo, Tables
from .text import clean

HERE = Path(__file__).parent


def write_site(tables: Tables, out_dir: Path, *, metrics: Mapping[str, MetricInfo]) -> Path:
    """Write all pages; see `motifidelity.leaderboard.render`."""
    summary = summarise(tables)
    filters = tables.filters.reindex(columns=REQUIRED["filters"])
    history = tables.history.reindex(columns=REQUIRED["history"])
    environment = make_environment()

    boards = make_boards(summary, filters, metrics)
    front = environment.get_template("index.html").render(
        root="",
        boards=boards,
        legend=legend(summary, metrics),
        num_results=len(summary.trials),
        num_failed=int((summary.trials["status"] != "ok").sum()),
    )
    index = _write(out_dir / "index.html", front)
    template = environment.get_template("model.html")
    for _, trials in summary.trials.groupby("model_key", sort=True):
        page = make_page(trials, summary, filters, history, metrics)
        _write(
            out_dir / "models" / page_name(trials.iloc[0]), template.render(root="../", page=page)
        )
    _copy_static(out_dir / "static")
    return index


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
