"""``bench leaderboard``: draw the page of a registry, look at it, serve it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from motifidelity.cli.options import registry_option, say_where_the_page_goes

if TYPE_CHECKING:
    from motifidelity.registry import Registry

_FOLDER = click.Path(path_type=Path, file_okay=False)


def _page_options(command: Any) -> Any:
    out = click.option(
        "--out",
        type=click.Path(path_type=Path),
        help="Folder of the page; default: leaderboard/ in the registry, or here for s3://.",
    )
    return registry_option(out(command))


@click.group("leaderboard", invoke_without_command=True)
@_page_options
@click.pass_context
def command(context: click.Context, location: str, out: Path | None) -> None:
    """Draw the leaderboard of a registry as pages that open from disk.

    Without a subcommand it is built.
    """
    if context.invoked_subcommand is None:
        context.invoke(build, location=location, out=out)
        return
    # options may stand before the subcommand too
    given = {"location": location, "out": out}
    source = context.get_parameter_source
    context.default_map = {
        name: {key: value for key, value in given.items() if source(key) and _is_given(source(key))}
        for name in ("build", "open", "serve")
    }


def _is_given(source: Any) -> bool:
    return source is not click.core.ParameterSource.DEFAULT


@command.command("build")
@_page_options
@click.option(
    "--submissions",
    type=_FOLDER,
    help="Folder of submissions; with --verifications it says who vouches for a row.",
)
@click.option(
    "--verifications",
    type=_FOLDER,
    help="Folder of what 'bench verify' wrote: rows that came out again get its tier.",
)
def build(
    location: str,
    out: Path | None,
    submissions: Path | None = None,
    verifications: Path | None = None,
) -> None:
    """Draw all pages whose results changed."""
    from motifidelity.errors import UserError
    from motifidelity.registry import existing_registry
    from motifidelity.report.draw import draw_leaderboard

    if (submissions is None) != (verifications is None):
        raise UserError("--submissions and --verifications belong together; give both")
    registry = existing_registry(location)
    if out is None:
        say_where_the_page_goes(registry)
    tiers: dict[str, str] = {}
    if submissions is not None and verifications is not None:
        from motifidelity.submitting.tiers import read_tiers

        tiers, problems = read_tiers(submissions, verifications)
        for problem in problems:
            click.echo(f"bench: {problem}", err=True)
    click.echo(draw_leaderboard(registry, out, tiers))


@command.command("open")
@_page_options
def open_(location: str, out: Path | None) -> None:
    """Draw the pages and open the first in a browser."""
    from motifidelity.registry import existing_registry
    from motifidelity.report.draw import draw_leaderboard

    page = draw_leaderboard(_announced(existing_registry(location), out), out)
    click.echo(page)
    if not _in_browser(page):
        click.echo(
            "bench: no browser opened; open the file yourself, or run 'bench leaderboard serve' "
            "and look from another machine",
            err=True,
        )


def _in_browser(page: Path) -> bool:
    """Whether a browser opened a page; without a screen none is tried, not even one of text."""
    import webbrowser

    screens = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    if sys.platform == "linux" and not any(map(os.environ.get, screens)):
        return False
    return webbrowser.open(page.resolve().as_uri())


@command.command("serve")
@_page_options
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0: any free."
)
def serve(location: str, out: Path | None, host: str, port: int) -> None:
    """Draw the pages and serve them over HTTP until Ctrl-C."""
    from motifidelity.leaderboard.serving import open_server
    from motifidelity.registry import existing_registry
    from motifidelity.report.draw import draw_leaderboard

    page = draw_leaderboard(_announced(existing_registry(location), out), out)
    with open_server(page.parent, host, port) as server:
        click.echo(f"http://{host}:{server.server_port}/ (Ctrl-C stops it)")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            click.echo("stopped", err=True)


def _announced(registry: Registry, out: Path | None) -> Registry:
    if out is None:
        say_where_the_page_goes(registry)
    return registry
