"""`dothi drill`: training on a fenced copy."""

from pathlib import Path
from typing import Any

import click

from dothi.access.permission import Permission
from dothi.cli.command import load_settings, needs, open_folder, with_settings_file
from dothi.cli.serve import address_flags, announce, with_addresses


@click.group()
def drill() -> None:
    """Train on a replayed or scripted day; nothing leaves."""


@drill.command(cls=needs(Permission.ADMINISTER))
@click.argument("scenario")
@with_addresses
@with_settings_file
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder of the drill; a new one for each run.",
)
@click.option(
    "--copy-of",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    help="Data directory whose state is copied: places, rules, procedures, people.",
)
@click.option(
    "--speed",
    type=click.FloatRange(1, 60),
    default=1.0,
    show_default=True,
    help="How many times as fast as the clock.",
)
@click.option("--stop-at-end", is_flag=True, help="Stop when the scenario is over.")
def run(
    scenario: str,
    data_dir: Path,
    config_file: Path | None,
    copy_of: Path | None,
    speed: float,
    stop_at_end: bool,
    **addresses: Any,
) -> None:
    """Play SCENARIO: the name of a delivered one, or a TOML file."""
    from dothi.app.drill.run import Order, run_drill

    loaded = load_settings(data_dir, config_file, address_flags(addresses))
    original = open_folder(copy_of) if copy_of else None
    order = Order(scenario, open_folder(data_dir), original, speed, stop_at_end)
    report = run_drill(order, loaded, announce)
    click.echo(f"Báo cáo / Report: {report}")


@drill.command(name="list", cls=needs(Permission.ADMINISTER))
def list_() -> None:
    """The scenarios that are delivered."""
    from dothi.app.drill.run import delivered
    from dothi.app.drill.scenario import read_scenario

    for path in delivered():
        found = read_scenario(path)
        click.echo(f"{path.stem}\t{found.title_vi} / {found.title_en}")
