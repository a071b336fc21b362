"""``bench registry``: check, pack, merge, export and renew a record of results."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from motifidelity.cli.options import registry_option

if TYPE_CHECKING:
    from motifidelity.registry.problems import Audit


@click.group("registry", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Check, pack, merge, export and renew a record of results."""


@command.command("verify")
@registry_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verify(location: str, as_json: bool) -> int:
    """Check every file against its digest, and that none is missing or foreign."""
    from motifidelity.registry import existing_registry
    from motifidelity.registry.audit import audit

    registry = existing_registry(location)
    report = audit(registry.store)
    if as_json:
        click.echo(json.dumps({"ok": report.ok, **asdict(report)}, indent=1))
    else:
        _print(report, registry.name)
    return 0 if report.ok else 1


@command.command("compact")
@registry_option
def compact(location: str) -> None:
    """Pack the files of many results into few, and remove what killed writers left."""
    from motifidelity.registry import existing_registry
    from motifidelity.registry.compact import compact

    done = compact(existing_registry(location).store)
    click.echo(
        f"{_number(done.results, 'result')} packed into {_number(len(done.packs), 'pack')}; "
        f"{_number(done.removed, 'leftover file')} removed"
    )


@command.command("merge")
@click.argument("sources", nargs=-1, required=True, metavar="SRC...")
@registry_option
def merge(sources: tuple[str, ...], location: str) -> None:
    """Copy the results of other registries that are not in this one yet."""
    from motifidelity.registry import Registry, existing_registry
    from motifidelity.registry.merge import merge

    others = [existing_registry(source).store for source in sources]
    registry = Registry(location)
    registry.prepare()
    done = merge(registry.store, others)
    click.echo(
        f"{_number(done.copied, 'result')} copied to {registry.name}; {done.there} there before"
    )


@command.command("export")
@registry_option
@click.option("--format", "formats", default="csv", show_default=True, help="csv, json, parquet.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("export"),
    show_default=True,
    help="Folder to write to.",
)
@click.option("--all", "everything", is_flag=True, help="Superseded results too.")
def export(location: str, formats: str, out: Path, everything: bool) -> None:
    """Write the tables in other formats, several with commas; the latest result of every job."""
    from motifidelity.errors import unknown
    from motifidelity.registry import existing_registry, schema
    from motifidelity.registry.export import FORMATS, export_tables

    wanted = [name.strip() for name in formats.split(",") if name.strip()]
    for kind in wanted:
        if kind not in FORMATS:
            raise unknown("format", kind, FORMATS)
    registry = existing_registry(location)
    tables = (registry.every if everything else registry.latest)(*schema.TABLES)
    for path in export_tables(tables, wanted, out):
        click.echo(path)


@command.command("migrate")
@registry_option
def migrate(location: str) -> None:
    """Rewrite files of older versions as today's, with digests."""
    from motifidelity.registry import existing_registry
    from motifidelity.registry.compact import migrate

    done = migrate(existing_registry(location).store)
    click.echo(f"{_number(done, 'result')} rewritten" if done else "nothing to rewrite")


def _print(report: Audit, name: str) -> None:
    for problem in report.problems:
        click.echo(f"{problem.kind:8} {problem.path}: {problem.why}")
    click.echo(
        f"{name}: {_number(report.results, 'result')}, {_number(report.packs, 'pack')}; "
        f"{_number(report.files, 'file')} ({report.size / 1e6:.1f} MB) have their digest"
    )
    notes = [
        (report.undigested, "recorded before there were digests: structure checked; "
         "'bench registry migrate' adds digests"),
        (report.not_kept, "without their arrays (not kept, which is allowed)"),
        (len(report.pending), "whole, though the writer was killed at its last step"),
    ]  # fmt: skip
    for number, text in notes:
        if number:
            click.echo(f"{_number(number, 'result')} {text}")
    left = len(report.unfinished) + len(report.superseded)
    if left:
        click.echo(
            f"{_number(left, 'file')} unfinished or packed since, ignored; 'bench registry "
            "compact' removes them an hour after they were written"
        )
    click.echo("nothing is wrong" if report.ok else f"{_number(len(report.problems), 'problem')}")


def _number(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
