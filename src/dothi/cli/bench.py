"""`dothi bench`: runs one benchmark of a checkout and stores its result with machine facts."""

from pathlib import Path

import click

from dothi.access.permission import Permission
from dothi.cli.command import needs


@click.command(
    cls=needs(Permission.ADMINISTER),
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
@click.argument("name", required=False)
@click.option(
    "--results",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the result file. [default: bench/results]",
)
@click.pass_context
def bench(ctx: click.Context, name: str | None, results: Path | None) -> None:
    """Run the benchmark NAME (without NAME: list them). What follows goes to the benchmark."""
    from dothi.app import benchmarks

    if name is None:
        for known, summary in benchmarks.available().items():
            click.echo(f"{known:<16} {summary}")
        return
    stored = benchmarks.run(name, list(ctx.args), results)
    click.echo(stored.text)
    click.echo(f"stored in {stored.path}")
