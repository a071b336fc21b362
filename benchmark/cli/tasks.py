"""``bench tasks``: the fixed tasks and their data."""

from __future__ import annotations

from pathlib import Path

import click


@click.group("tasks")
def command() -> None:
    """List, show, verify, lock and export the fixed tasks."""


@command.command("list")
def list_tasks() -> None:
    """List the tasks."""
    from motifidelity.tasks.spec import all_specs

    for spec in all_specs().values():
        click.echo(f"{spec.id:20}{spec.summary}")


@command.command("show")
@click.argument("name")
def show(name: str) -> None:
    """Show one task: recipe, sizes, motifs, training and digests."""
    from motifidelity.tasks.motifs import load_motifs
    from motifidelity.tasks.spec import SPLITS, find_spec

    spec = find_spec(name)
    motifs = load_motifs(spec.motifs)
    click.echo(f"{spec.id}: {spec.title}\n{spec.summary}\nSource: {spec.source}\n")
    click.echo(f"Target      {spec.target}, {len(spec.classes)} output(s)")
    click.echo(f"Classes     {', '.join(spec.classes)}")
    click.echo(f"Input       {spec.length} bases, one-hot A C G T")
    sizes = ", ".join(f"{spec.digests[split]['n']} {split}" for split in SPLITS)
    click.echo(f"Sequences   {sizes}")
    for pool, ids in spec.pools.items():
        shown = ", ".join(f"{motifs[i].name} {i}" for i in ids[:12])
        more = f" and {len(ids) - 12} more" if len(ids) > 12 else ""
        click.echo(f"Pool        {pool}: {shown}{more}")
    fit = spec.fit
    click.echo(
        f"Training    Adam {fit.learning_rate:g}, batch {fit.batch_size}, at most "
        f"{fit.max_epochs} epochs; stops {fit.stop_patience} epochs after the best validation "
        f"{fit.monitor.upper()}, the rate falls x{fit.rate_factor:g} after {fit.rate_patience}"
    )
    for profile in spec.profiles.values():
        train = profile.train or spec.digests["train"]["n"]
        test = profile.test or spec.digests["test"]["n"]
        click.echo(
            f"Profile     {profile.name}: {profile.trials} trial(s), {train} training and {test} "
            f"test sequences, at most {profile.max_epochs} epochs, {profile.explained} explained "
            f"by {', '.join(profile.methods) if profile.methods else 'all methods'}"
        )
    for name, settings in spec.attribution.methods.items():
        shown = ", ".join(f"{key} {value}" for key, value in settings.items() if key != "seed")
        click.echo(f"Attribution {name}" + (f": {shown}" if shown else ""))
    click.echo(f"Digest      {spec.digest}")


@command.command("verify")
@click.argument("names", nargs=-1)
def verify(names: tuple[str, ...]) -> int:
    """Check every array of the datasets against the study's digests."""
    from motifidelity.tasks.dataset import check_digests, load_dataset
    from motifidelity.tasks.spec import all_specs, find_spec

    specs = [find_spec(name) for name in names] if names else list(all_specs().values())
    checks = []
    for spec in specs:
        for check in check_digests(spec, load_dataset(spec).splits):
            checks.append(check)
            mark = "ok  " if check.matches else "FAIL"
            # the study published no implants: that lock is this suite's own
            if check.array != "implants" or not check.matches:
                click.echo(f"{mark} {spec.id:18} {check.split:6}{check.array:10}{check.found}")
    published = [check for check in checks if check.array != "implants"]
    matching = sum(check.matches for check in published)
    own = [check for check in checks if check.array == "implants"]
    click.echo(
        f"{matching} of {len(published)} digests match the study's; "
        f"{sum(check.matches for check in own)} of {len(own)} implant tables match their lock"
    )
    return 0 if all(check.matches for check in checks) else 1


@command.command("lock")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def lock_task(file: Path) -> None:
    """Write the digests of a new task's data into its file.

    The data are generated from the file. Digests that are there are compared, and never changed.
    """
    from motifidelity.tasks.lock import lock

    spec = lock(file)
    sizes = ", ".join(f"{values['n']} {split}" for split, values in spec.digests.items())
    click.echo(f"{spec.id} is locked: {sizes}; digest {spec.digest}")


@command.command("export")
@click.argument("name")
@click.option(
    "--format", "formats", default="fasta", show_default=True, help="fasta, bed, h5, parquet."
)
@click.option("--out", type=click.Path(path_type=Path), default=Path(), help="Folder to write to.")
def export(name: str, formats: str, out: Path) -> None:
    """Write a task's data in other formats, several with commas."""
    from motifidelity.errors import DataError, unknown
    from motifidelity.tasks.dataset import load_dataset
    from motifidelity.tasks.spec import find_spec
    from motifidelity.tasks.writers import FORMATS

    wanted = [name.strip() for name in formats.split(",") if name.strip()]
    for kind in wanted:
        if kind not in FORMATS:
            raise unknown("format", kind, FORMATS)
    dataset = load_dataset(find_spec(name))
    try:
        out.mkdir(parents=True, exist_ok=True)
        for kind in wanted:
            for path in FORMATS[kind](dataset, out):
                click.echo(path)
    except OSError as error:
        raise DataError(
            f"export to {out}: {error.strerror or error}; choose another folder with --out"
        ) from error
