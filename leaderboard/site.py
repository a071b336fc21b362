"""Writing the site: templates, pages and the files copied beside them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

import jinja2
import pandas as pd
from jinja2.bccache import Bucket

from motifidelity.entries import DIVISION
from motifidelity.leaderboard.abilities import COLUMNS
from motifidelity.leaderboard.book import Book, code_digest, digest, result_digests
from motifidelity.leaderboard.figures import (
    boxes,
    curves,
    distances,
    dumbbells,
    logo,
    match,
    responses,
    scatter,
    tracks,
)
from motifidelity.leaderboard.figures.alone import Drawing, Figure, page_stem, stand_alone
from motifidelity.leaderboard.page import EvidenceOf, LayersOf, Material, Page, ScanNameOf
from motifidelity.leaderboard.pages.board import board_pages
from motifidelity.leaderboard.pages.capability_section import MEANT
from motifidelity.leaderboard.pages.changelog import changelog_page
from motifidelity.leaderboard.pages.claims_page import claims_page
from motifidelity.leaderboard.pages.facts import network_origin
from motifidelity.leaderboard.pages.filter_files import motif_files
from motifidelity.leaderboard.pages.front import front_page, table_files
from motifidelity.leaderboard.pages.history import feed_page, history_page
from motifidelity.leaderboard.pages.metric import metric_pages
from motifidelity.leaderboard.pages.model import make_page
from motifidelity.leaderboard.pages.study import study_pages
from motifidelity.leaderboard.pages.task import task_pages
from motifidelity.leaderboard.pages.versus import comparison_page
from motifidelity.leaderboard.standings import standings
from motifidelity.leaderboard.tables import cells, columns
from motifidelity.leaderboard.tables.rows import page_name
from motifidelity.leaderboard.tables.siblings import Row, siblings
from motifidelity.metrics.headlines import CAPABILITIES
from motifidelity.metrics.motifs.hits import ATTRACTOR
from motifidelity.summary.inputs import REQUIRED, MetricInfo, Tables
from motifidelity.summary.runs import BOARD, Summary, by_key, plain_text, summarise, together
from motifidelity.summary.stats import index_stats, split_stats
from motifidelity.untrusted import clean

HERE = Path(__file__).parent
# results in a registry of which every trial's filters and epochs are drawn
MOST_DETAILED = 2000
# the digest that ends a page's name, and what of it ends names of figures that need it
DIGEST, MARK = re.compile(r"-([0-9a-f]{12})\.html$"), 6

# given the registry and the front page's table, as `standings.standings` returns it
Maker = Callable[[Material, pd.DataFrame], Iterable[Page]]


class _Compiled(jinja2.BytecodeCache):
    """Compiled templates of this process: each build has an environment of its own."""

    def __init__(self) -> None:
        self._known: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give what was compiled, if it is of the same text."""
        if found := self._known.get(bucket.key):
            bucket.bytecode_from_string(found)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        self._known[bucket.key] = bucket.bytecode_to_string()


COMPILED = _Compiled()


def write_site(material: Material, out_dir: Path) -> Path:
    """Write all pages; see `motifidelity.leaderboard.render`."""
    book = Book(out_dir, make_environment(), code_digest(material.metrics))
    frame = standings(material)
    for maker in MAKERS:
        book.write(maker(material, frame))
    for name, content in table_files(frame):
        book.keep(name, content)
    for path in sorted((HERE / "static").rglob("*")):
        if path.is_file():
            book.keep(f"static/{path.relative_to(HERE / 'static').as_posix()}", path.read_bytes())
    # last, because it names what could not be drawn
    told = replace(material, problems=(*material.problems, *book.problems))
    book.write([front_page(told, frame)])
    book.close()
    return out_dir / "index.html"


def draw_figures(
    material: Material, patterns: Sequence[str], *, paper: bool = False, each: bool = False
) -> Iterator[Figure]:
    """Figures of the pages whose paths fit a pattern; see `motifidelity.leaderboard`."""
    kept: list[Drawing] = []
    environment = make_environment(lambda **given: kept.append(Drawing(**given)))
    frame = standings(material)
    pages = [page for maker in MAKERS for page in maker(material, frame)]
    used: set[str] = set()
    wanted = [
        page
        for page in (*pages, front_page(material, frame))
        if any(fnmatchcase(page.path, pattern) for pattern in patterns)
    ]
    names = [DIGEST.split(page.path) for page in wanted]
    times = Counter(name for name, *_ in names)
    for page, (name, *ending) in zip(wanted, names, strict=True):
        kept.clear()
        environment.get_template(page.template).render(root=page.root, **page.draw())
        # such as two versions of a model's file: told apart as the pages themselves are
        mark = ending[0][:MARK] if ending and times[name] > 1 else ""
        stem = page_stem(page.path)
        yield from stand_alone(kept, environment, stem, used, paper=paper, each=each, mark=mark)


def gather(
    tables: Tables,
    metrics: Mapping[str, MetricInfo],
    problems: Sequence[str] = (),
    tiers: Mapping[str, str] | None = None,
    past: Tables | None = None,
    evidence: EvidenceOf | None = None,
    scan_name: ScanNameOf | None = None,
    stored: Mapping[str, str] | None = None,
    layers: LayersOf | None = None,
) -> Material:
    """Arrange the registry for the makers of pages."""
    summary = summarise(tables)
    return Material(
        summary=summary,
        stats=index_stats(summary.scores),
        filters=tables.filters.reindex(columns=REQUIRED["filters"]),
        history=tables.history.reindex(columns=REQUIRED["history"]),
        past_jobs=(past or tables).jobs,
        past_scores=(past or tables).scores.reindex(columns=REQUIRED["scores"]),
        metrics=metrics,
        problems=tuple(problems),
        tiers=tiers or {},
        digests=_digests(tables, stored or {}),
        evidence=evidence or (lambda _: None),
        scan_name=scan_name or (lambda _: None),
        layers=layers or (lambda _: None),
        large=len(summary.trials) > MOST_DETAILED,
    )


def _digests(tables: Tables, stored: Mapping[str, str]) -> Mapping[str, str]:
    """Digest of all rows of every result, with what is stored of it beside the tables."""
    digests = result_digests(tables)
    if not stored:
        return digests
    jobs = tables.jobs.reindex(columns=["result_id", "files"])
    beside = {
        str(result): (stored.get(str(result), ""), stored.get(network_origin(files), ""))
        for result, files in zip(jobs["result_id"], jobs["files"], strict=True)
    }
    return {result: digest(rows, *beside.get(result, ())) for result, rows in digests.items()}


def model_pages(material: Material, frame: pd.DataFrame) -> Iterable[Page]:
    """A page for every model with its parameters."""
    summary = material.summary
    if summary.trials.empty:
        return
    boards = summary.trials[BOARD].astype(str).agg("\n".join, axis=1)
    reference = summary.trials["division"] == DIVISION
    references = dict(list(summary.trials[reference].groupby(boards[reference])))
    stats = split_stats(material.stats)
    filters = by_key(material.filters, "result_id")
    history = by_key(material.history, "result_id")
    beside_of = siblings(frame)
    rows = {str(row["run"]): row for row in frame.to_dict("records")}
    for _, trials in summary.trials.groupby("model_key", sort=True):
        # ceilings and floors of the same tasks, for the scale
        beside = [references[key] for key in sorted(set(boards[trials.index]) & references.keys())]
        around = pd.concat([trials, *beside]).drop_duplicates("result_id")
        own = [rows[run] for run in trials["run"].unique() if run in rows]
        others = {row["run"]: beside_of[row["run"]] for row in own if row["run"] in beside_of}

        def draw(
            trials: pd.DataFrame = trials,
            around: pd.DataFrame = around,
            own: Sequence[Row] = own,
            others: Mapping[str, Row] = others,
        ) -> Mapping[str, object]:
            detailed = _detailed(trials, material)
            runs = sorted(set(around["run"]))
            mine = replace(
                material,
                summary=Summary(around, summary.scores.iloc[:0]),
                stats={key: stat for run in runs for key, stat in stats.get(run, {}).items()},
                filters=plain_text(together(filters, detailed)),
                history=together(history, detailed),
            )
            return {"page": make_page(trials, mine, own, others)}

        path = f"models/{page_name(trials.iloc[0])}"
        seen = [[row[name] for name in ("run", *COLUMNS)] for row in others.values()]
        yield Page(path, "model.html", (material.large, material.inputs(around), seen), draw)


def single_pages(material: Material, frame: pd.DataFrame) -> Iterable[Page]:
    """Pages of which there is one."""
    yield comparison_page(material, frame)
    yield claims_page(material)
    yield history_page(material)
    yield changelog_page(material)
    yield Page("about.html", "about.html", ("about",), lambda: {"capabilities": MEANT.items()})
    yield feed_page(material)


def _detailed(trials: pd.DataFrame, material: Material) -> list[str]:
    """Results whose filters and epochs are drawn: all, or in a large registry one of each run."""
    if not material.large:
        return list(trials["result_id"])
    ok = trials[trials["counted"] & (trials["status"] == "ok")]
    return list(ok.drop_duplicates("run")["result_id"])


# every kind of page but the front page, in the order of writing
MAKERS: tuple[Maker, ...] = (
    model_pages,
    motif_files,
    task_pages,
    board_pages,
    metric_pages,
    study_pages,
    single_pages,
)


def make_environment(keep: Callable[..., None] | None = None) -> jinja2.Environment:
    """Templates with escaping on everywhere, and with hidden characters made visible.

    `keep` is given every drawing of a page that is rendered, as `Drawing` takes it.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        bytecode_cache=COMPILED,
    )
    environment.globals.update(
        keep=keep,
        bar_width=cells.BAR_WIDTH,
        describe=cells.describe,
        arrow=cells.arrow,
        families=columns.FAMILIES,
        spans={"width": distances.WIDTH, "height": distances.HEIGHT, "band": distances.BAND},
        ladder={"size": responses.SIZE},
        curves={"width": curves.WIDTH, "height": curves.HEIGHT},
        CAPABILITIES=CAPABILITIES,
        glyphs=logo.GLYPHS,
        attractor=ATTRACTOR,
        logo_height=logo.HEIGHT,
        pair={"height": match.pair_height(), "below": logo.HEIGHT + match.GAP},
        boxes={"height": boxes.HEIGHT},
        tracks={"width": tracks.WIDTH, "labels": tracks.LABELS, "view": tracks.VIEW},
        dumbbells={
            "width": dumbbells.WIDTH,
            "height": dumbbells.HEIGHT,
            "grid": dumbbells.grid(),
        },
        scatter={"size": scatter.SIZE, "low_x": scatter.LOW_X},
    )
    return environment


def _finalize(value: object) -> object:
    """Clean whatever text is printed; markup made by the templates themselves passes."""
    return clean(value) if type(value) is str else value
