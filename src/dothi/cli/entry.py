"""The table of commands, and what is printed when one fails."""

import importlib
import os
import sys
import traceback

import click

from dothi import __version__
from dothi.model.problem import Problem

COMMANDS = {
    "up": "dothi.cli.up:up",
    "serve": "dothi.cli.serve:serve",
    "source": "dothi.cli.source:source",
    "import": "dothi.cli.import_:import_command",
    "login-link": "dothi.cli.login_link:login_link",
    "person": "dothi.cli.person:person",
    "audit": "dothi.cli.audit:audit",
    "config": "dothi.cli.config:config",
    "export": "dothi.cli.export:export",
    "drill": "dothi.cli.drill:drill",
    "doctor": "dothi.cli.doctor:doctor",
    "bench": "dothi.cli.bench:bench",
    "version": "dothi.cli.version:version",
}
"""Name -> module and attribute; a module is imported when its command is asked for."""


class Commands(click.Group):
    """Imports a command when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name].split(":")
        found = getattr(importlib.import_module(module), attribute)
        assert isinstance(found, click.Command)
        return found


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="dothi")
@click.option("--debug", is_flag=True, envvar="DOTHI_DEBUG", help="Show the traceback of errors.")
def dothi(debug: bool) -> None:
    """dothi: the operations centre of a smart province as one open program."""


def main() -> None:
    """Run the command line; errors are printed as what, where, remedy."""
    show_traceback = "--debug" in sys.argv or bool(os.environ.get("DOTHI_DEBUG"))
    try:
        sys.exit(dothi(standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except Problem as problem:
        _print_problem(problem, show_traceback)
        sys.exit(1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        _print_unexpected(error, show_traceback)
        sys.exit(70)


def _print_problem(problem: Problem, show_traceback: bool) -> None:
    if show_traceback:
        traceback.print_exception(problem)
    click.secho(f"{problem.title}: {problem.detail}", fg="red", err=True)
    if problem.where:
        click.echo(f"  where:  {problem.where}", err=True)
    if problem.remedy:
        click.echo(f"  remedy: {problem.remedy}", err=True)


def _print_unexpected(error: Exception, show_traceback: bool) -> None:
    if show_traceback:
        traceback.print_exception(error)
    click.secho(f"Unexpected error: {type(error).__name__}: {error}", fg="red", err=True)
    if not show_traceback:
        click.echo(
            "  remedy: run the same with `dothi --debug …` and report what it shows", err=True
        )
