"""The command ``bench``: one small file a command, loaded when it is called."""

from __future__ import annotations

import importlib
import os
import sys

import click

from motifidelity import __version__
from motifidelity.errors import UserError, unknown

COMMANDS = {
    "run": "Train, probe and score a model, and draw the leaderboard.",
    "check": "Say what is wrong with a model file, in about a minute.",
    "results": "Print results by filters or in SQL; rank and compare models.",
    "leaderboard": "Draw the leaderboard of a registry.",
    "plot": "Write a registry's figures as SVG, PNG or PDF.",
    "rescore": "Score finished results again, without training.",
    "submit": "Make one reviewable folder of a model and its results.",
    "verify": "Check a submitted folder and run its model again.",
    "registry": "Verify, compact, merge, export and migrate a record of results.",
    "regress": "Compare what the code does today with the committed record.",
    "reproduce": "Train the reference study's grid.",
    "report": "Write a registry's tables and figures into Markdown documents.",
    "tasks": "List, show, verify and export the fixed tasks; make your own.",
    "models": "List the baseline networks.",
    "image": "Build, list, inspect and remove the images that submissions run in.",
    "cluster": "Write the file that runs a command on SLURM or Kubernetes.",
    "doctor": "Say what works on this machine, and what mends the rest.",
}


class _LazyGroup(click.Group):
    """Loads a command's module only when it is called, so that ``--help`` is instant."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"motifidelity.cli.{name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            raise click.UsageError(str(unknown("command", name, COMMANDS)), ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="bench")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def bench(debug: bool) -> None:
    """Does a genomic network know the motifs?

    Trains a model on synthetic tasks with known truth and scores its accuracy, the motifs in its
    first-layer filters, and its attribution maps.
    """


def main() -> None:
    """Entry point: user errors become one line on standard error and an exit status."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    debug = "--debug" in sys.argv[1:]
    try:
        code = bench.main(standalone_mode=False)
    except click.exceptions.Abort:
        _fail("stopped", 130)
    except click.exceptions.NoArgsIsHelpError as error:
        # a command of commands alone: its help is the answer, and nothing was done
        click.echo(error.format_message())
        sys.exit(error.exit_code)
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        text = error.format_message().rstrip(".")
        if context:
            more = f"see '{context.command_path} --help'"
            text += f" ({more})" if text.endswith("?") else f"; {more}"
        _fail(text, error.exit_code)
    except KeyboardInterrupt:
        _fail("stopped", 130)
    except BrokenPipeError:
        # the reader has gone (``bench ... | head``): nothing is left to say
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except UserError as error:
        if debug:
            raise
        _fail(str(error), error.exit_code)
    except Exception as error:
        if debug:
            raise
        text = " ".join(str(error).split())[:500]
        _fail(
            f"{type(error).__name__}: {text}; run again with 'bench --debug ...' and report it", 1
        )
    sys.exit(code if isinstance(code, int) else 0)


def _fail(message: str, code: int) -> None:
    click.echo(f"bench: {message}", err=True)
    sys.exit(code)
