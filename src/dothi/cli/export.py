"""`dothi export`: histories as CSV or Parquet files."""

from pathlib import Path

import click

from dothi.access.permission import Permission
from dothi.cli.command import load_settings, needs, open_folder, with_data_dir, with_settings_file


@click.command(cls=needs(Permission.READ))
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--key", multiple=True, help="A series: entity|attribute or entity|attribute|dataset."
)
@click.option("--entity", multiple=True, help="Every attribute of this entity.")
@click.option("--start", help="First instant, e.g. 2026-11-01T00:00:00+07:00.")
@click.option("--end", help="End, exclusive.")
@click.option("--period", default="", help="Fold into periods: PT5M, PT1H, P1D, P1W, P1M, P1Y.")
@click.option("--fn", multiple=True, help="avg, min, max, sum, count, stddev, first, last, p95, …")
@click.option("--zone", default="", help="Time zone of calendar periods. [default: api.zone]")
@with_data_dir
@with_settings_file
def export(
    file: Path, data_dir: Path, config_file: Path | None, entity: tuple[str, ...], **asked: str
) -> None:
    """Write histories to FILE (.csv or .parquet). Also works while dothi runs."""
    from dothi.app.export import export_file

    loaded = load_settings(data_dir, config_file)
    form = file.suffix.lstrip(".").lower()
    question = {**asked, "key": list(asked["key"]), "fn": list(asked["fn"]), "format": form}
    size = export_file(loaded.settings, open_folder(data_dir), question, entity, file)
    click.echo(f"{file}: {size:,} bytes")
