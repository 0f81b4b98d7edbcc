"""`dothi drill`: training on a fenced copy."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dothi.access.permission import Permission
from dothi.cli.command import load_settings, needs, open_folder, with_settings_file
from dothi.cli.import_options import Answers, mapping_of
from dothi.cli.serve import address_flags, announce, with_addresses

if TYPE_CHECKING:
    from dothi.app.drill.recording import Wanted


@click.group()
def drill() -> None:
    """Train on a replayed or scripted day; nothing leaves."""


@drill.command(cls=needs(Permission.ADMINISTER))
@click.argument("scenario", required=False)
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
    "--recorded",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Play a recorded day: a CSV or Parquet file, read as `dothi import` reads it.",
)
@click.option(
    "--map",
    "map_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Mapping of the columns of the recorded file (TOML, see Importing tables).",
)
@click.option(
    "--day",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Which day, by the clock of Vietnam; not needed for a file that holds one day.",
)
@click.option(
    "--between", default="", metavar="HH:MM-HH:MM", help="Only these hours, e.g. 17:00-21:30."
)
@click.option(
    "--from-data-dir",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    help="Play a day out of this history; its state is copied too, unless --copy-of is given.",
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
    scenario: str | None,
    data_dir: Path,
    config_file: Path | None,
    copy_of: Path | None,
    speed: float,
    stop_at_end: bool,
    **others: Any,
) -> None:
    """Play SCENARIO: the name of a delivered one, or a TOML file; or a recorded day; or both."""
    from dothi.app.drill.run import Order, run_drill

    names = ("recorded", "map_file", "day", "between", "from_data_dir")
    asked = {name: others.pop(name) for name in names}
    recorded = _recorded(**asked)
    if not scenario and recorded is None:
        raise click.UsageError(
            "name a scenario (`dothi drill list`), or a recorded day: --recorded FILE --map "
            "MAPPING, or --day with --from-data-dir"
        )
    loaded = load_settings(data_dir, config_file, address_flags(others))
    copied = copy_of or asked["from_data_dir"]
    original = open_folder(copied) if copied else None
    folder = open_folder(data_dir)
    order = Order(scenario or "", folder, original, speed, recorded, stop_at_end)
    report = run_drill(order, loaded, announce)
    click.echo(f"Báo cáo / Report: {report}")


def _recorded(
    recorded: Path | None,
    map_file: Path | None,
    day: datetime | None,
    between: str,
    from_data_dir: Path | None,
) -> "Wanted | None":
    """What is asked for of a recorded day; None: nothing. Raises UsageError: half of it."""
    from dothi.app.drill.recording import Wanted

    on = day.date() if day else None
    if recorded is not None and from_data_dir is not None:
        raise click.UsageError("--recorded and --from-data-dir: a day comes out of one of them")
    if recorded is not None:
        if map_file is None:
            raise click.UsageError("--recorded needs --map: which column means what")
        mapping = mapping_of(map_file, Answers())
        return Wanted(on, between, file=recorded, mapping=mapping)
    if from_data_dir is not None:
        if on is None:
            raise click.UsageError("--from-data-dir needs --day, e.g. --day 2026-11-20")
        return Wanted(on, between, history=open_folder(from_data_dir))
    if on is not None or between or map_file is not None:
        raise click.UsageError("--day, --between and --map need --recorded or --from-data-dir")
    return None


@drill.command(name="list", cls=needs(Permission.ADMINISTER))
def list_() -> None:
    """The scenarios that are delivered."""
    from dothi.app.drill.run import delivered
    from dothi.app.drill.scenario import read_scenario

    for path in delivered():
        found = read_scenario(path)
        click.echo(f"{path.stem}\t{found.title_vi} / {found.title_en}")
