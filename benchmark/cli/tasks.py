"""``bench tasks``: the fixed tasks and their data."""

from __future__ import annotations

from pathlib import Path

import click


@click.group("tasks")
def command() -> None:
    """List, show, verify and export the fixed tasks; make and lock your own."""


@command.command("list")
def list_tasks() -> None:
    """List the tasks; a name without a version means the newest."""
    from motifidelity.tasks.spec import all_specs

    specs = all_specs().values()
    later = {spec.supersedes: spec.id for spec in specs}
    for spec in specs:
        after = f" Superseded by {later[spec.id]}." if spec.id in later else ""
        click.echo(f"{spec.id:20}{spec.summary}{after}")


@command.command("show")
@click.argument("name", metavar="NAME|FILE")
def show(name: str) -> None:
    """Show one task: recipe, sizes, motifs, training, scores and digest."""
    from motifidelity.metrics.gates import GATES
    from motifidelity.metrics.headlines import short_name
    from motifidelity.metrics.readings import OWN
    from motifidelity.tasks.motifs import load_motifs
    from motifidelity.tasks.spec import SPLITS, given_spec

    spec = given_spec(name)
    maps = spec.attribution
    motifs = load_motifs(spec.motifs)
    click.echo(f"{spec.id}: {spec.title}\n{spec.summary}\nSource: {spec.source}")
    if spec.supersedes:
        click.echo(f"Supersedes {spec.supersedes}")
    click.echo()
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
        f"{short_name(fit.monitor)}, the rate falls x{fit.rate_factor:g} after "
        f"{fit.rate_patience}"
    )
    for profile in spec.profiles.values():
        train = spec.size(profile, "train")
        test = spec.size(profile, "test")
        click.echo(
            f"Profile     {profile.name}: {profile.trials} trial(s), {train} training and {test} "
            f"test sequences, at most {profile.max_epochs} epochs, {profile.explained}"
            f"{' and as many without a label' if maps.explain == 'all' else ''} explained "
            f"by {', '.join(profile.methods) if profile.methods else 'all methods'}"
        )
    for one in spec.headlines:
        stands = f"; stands for {one.family}" if one.main else ""
        shows = f"; shows {one.capability}" if one.capability else ""
        read = "" if one.reading == OWN else one.reading
        name = " ".join(filter(None, (*one.score, read)))
        click.echo(f"Score       {name}: {one.label.strip()}{stands}{shows}")
    for gate, bound in spec.gates.items():
        click.echo(f"Gate        {gate}: {GATES[gate].bad} {bound:g} is flagged")
    readings = ", ".join(maps.readings)
    click.echo(f"Maps        {readings} readings; {maps.tested} sequences put to the test")
    for name, settings in maps.methods.items():
        shown = ", ".join(f"{key} {value}" for key, value in settings.items() if key != "seed")
        click.echo(f"Attribution {name}" + (f": {shown}" if shown else ""))
    click.echo(f"Digest      {spec.digest}")


@command.command("verify")
@click.argument("names", nargs=-1, metavar="[NAME|FILE]...")
def verify(names: tuple[str, ...]) -> int:
    """Check every array of the datasets against the study's digests, or the suite's own lock.

    Versions of a task with the same data are checked once.
    """
    from motifidelity.tasks.dataset import check_digests, load_dataset
    from motifidelity.tasks.spec import Grammar, all_specs, given_spec, is_own

    specs = [given_spec(name) for name in names] if names else list(all_specs().values())
    published: list[bool] = []
    own: list[bool] = []
    for spec in {spec.dataset_digest: spec for spec in specs}.values():
        by_study = isinstance(spec.grammar, Grammar) and not is_own(spec)
        for check in check_digests(spec, load_dataset(spec).splits):
            mark = "ok  " if check.matches else "FAIL"
            # the study published no implants: that lock is this suite's own
            in_study = by_study and check.array != "implants"
            (published if in_study else own).append(check.matches)
            if in_study or not by_study or not check.matches:
                click.echo(f"{mark} {spec.id:18} {check.split:12}{check.array:10}{check.found}")
    told = [
        f"{sum(found)} of {len(found)} digests match {whose}"
        for found, whose in ((published, "the study's"), (own, "their lock"))
        if found
    ]
    click.echo("; ".join(told))
    return 0 if all(published + own) else 1


@command.command("new")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--motifs",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="MEME, JASPAR or TRANSFAC file of the motifs that are asked for.",
)
@click.option("--template", default="presence", show_default=True, metavar="NAME")
def new_task(file: Path, motifs: Path | None, template: str) -> None:
    """Write a task of your own, each value with a comment; change what you like, then lock it."""
    from motifidelity.tasks.draft import write_draft

    write_draft(file, template, motifs)
    click.echo(f"{file}: a draft; 'bench tasks lock {file}' generates its data")


@command.command("lock")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def lock_task(file: Path) -> None:
    """Write the digests of a new task's data into its file.

    The data are generated from the file. Digests that are there are compared, and never changed. A
    task that even the oracle, which knows motifs and recipe, cannot answer is refused.
    """
    from motifidelity.runs.answerable import refuse_unanswerable
    from motifidelity.tasks.lock import lock

    spec = lock(file, refuse_unanswerable)
    sizes = ", ".join(f"{values['n']} {split}" for split, values in spec.digests.items())
    click.echo(f"{spec.id} is locked: {sizes}; digest {spec.digest}")


@command.command("export")
@click.argument("name", metavar="NAME|FILE")
@click.option(
    "--format", "formats", default="fasta", show_default=True, help="fasta, bed, h5, parquet."
)
@click.option("--out", type=click.Path(path_type=Path), default=Path(), help="Folder to write to.")
def export(name: str, formats: str, out: Path) -> None:
    """Write a task's data in other formats, several with commas."""
    from motifidelity.errors import DataError, unknown
    from motifidelity.tasks.dataset import load_dataset
    from motifidelity.tasks.spec import given_spec
    from motifidelity.tasks.writers import FORMATS

    wanted = [name.strip() for name in formats.split(",") if name.strip()]
    for kind in wanted:
        if kind not in FORMATS:
            raise unknown("format", kind, FORMATS)
    dataset = load_dataset(given_spec(name))
    try:
        out.mkdir(parents=True, exist_ok=True)
        for kind in wanted:
            for path in FORMATS[kind](dataset, out):
                click.echo(path)
    except OSError as error:
        raise DataError(
            f"export to {out}: {error.strerror or error}; choose another folder with --out"
        ) from error
