"""`dothi import`: CSV and Parquet into the history."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dothi.access.permission import Permission
from dothi.cli.command import load_settings, needs, open_folder, with_data_dir, with_settings_file
from dothi.cli.import_options import Answers, mapping_of

if TYPE_CHECKING:
    from dothi.intake.tabular.importer import ImportReport
    from dothi.intake.tabular.mapping import Mapping
    from dothi.intake.tabular.preview import Preview

_SHOWN = ("entity", "attribute", "observed_at", "number", "text", "unit", "quality")


@click.command("import", cls=needs(Permission.ADMINISTER))
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--map",
    "map_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Mapping as TOML; the options below change single entries.",
)
@click.option("--source", help="Source that bears the rows.")
@click.option("--type", "entity_type", help="Type of the entities, e.g. AirQualityObserved.")
@click.option("--entity", help="URI of the one entity that the file is about.")
@click.option("--entity-column", help="Column that says which entity a row is about.")
@click.option("--time-column", help="Column of the times.")
@click.option("--time-format", help="iso, epoch_s, epoch_ms, or e.g. '%d/%m/%Y %H:%M'.")
@click.option("--zone", help="Zone of times that carry none, e.g. Asia/Ho_Chi_Minh.")
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="NAME=ATTRIBUTE[:UNIT]",
    help="Wide table: a column and its attribute. Repeatable.",
)
@click.option("--attribute-column", help="Long table: column of the attributes' names.")
@click.option("--value-column", help="Long table: column of the values.")
@click.option("--unit-column", help="Column of the units.")
@click.option("--decimal", type=click.Choice([".", ","]), help="Decimal separator of a CSV file.")
@click.option("--delimiter", help="Between the cells of a CSV file; \\t is TAB.")
@click.option("--encoding", help="Of a CSV file, e.g. windows-1258.")
@click.option("--origin", type=click.Choice(["measured", "replayed", "simulated"]))
@click.option("--origin-note", help="Shown beside every value that is not measured.")
@click.option("--licence", help="Under which the data may be used.")
@click.option("--dry-run", is_flag=True, help="Show rows and problems; store nothing.")
@click.option("--rows", default=10, show_default=True, help="Rows that a dry run shows.")
@with_data_dir
@with_settings_file
def import_command(
    file: Path,
    map_file: Path | None,
    data_dir: Path,
    config_file: Path | None,
    dry_run: bool,
    rows: int,
    **answers: Any,
) -> None:
    """Import FILE (CSV, also .gz and .zst, or Parquet) with its own times.

    Importing the same file again stores nothing twice; a broken import goes on where it stopped.
    Works while dothi runs.
    """
    mapping = mapping_of(map_file, Answers(**answers))
    settings = load_settings(data_dir, config_file).settings
    if dry_run:
        from dothi.app.importing import attribute_specs
        from dothi.intake.tabular.preview import preview
        from dothi.ports.clock import SystemClock

        _print_preview(preview(file, mapping, SystemClock(), attribute_specs(settings), rows))
        return
    report = asyncio.run(_import(file, mapping, settings, data_dir))
    _print_report(report)


async def _import(file: Path, mapping: "Mapping", settings: Any, data_dir: Path) -> "ImportReport":
    from dothi.app.importing import open_target
    from dothi.intake.tabular.importer import Importer
    from dothi.model.source import IMPORT_KIND, Source
    from dothi.ports.clock import SystemClock

    source = Source(
        mapping.source,
        mapping.source_name or mapping.source,
        IMPORT_KIND,
        origin=mapping.origin,
        origin_note=mapping.origin_note,
        licence=mapping.licence,
    )
    async with open_target(settings, open_folder(data_dir), source) as target:
        if target.server:
            click.echo(f"importing through {target.server}", err=True)
        with click.progressbar(
            length=max(file.stat().st_size, 1) if file.exists() else 1,
            label=file.name,
            show_pos=False,
            item_show_func=lambda text: text,
        ) as bar:

            def show(report: "ImportReport") -> None:
                bar.update(report.read_bytes - bar.pos, f"{report.received:,} rows")

            return await Importer(target.ingest, SystemClock()).run(file, mapping, show)


def _print_preview(found: "Preview") -> None:
    click.echo("The first rows as they would be stored (times in UTC):")
    for row in found.first.select(_SHOWN).to_pylist():
        shown = {k: v for k, v in row.items() if v is not None}
        shown["observed_at"] = shown["observed_at"].isoformat() if "observed_at" in shown else "-"
        click.echo("  " + "  ".join(f"{k}={v}" for k, v in shown.items()))
    report = found.report
    click.echo(f"{report.received:,} read, {report.stored:,} good, {report.rejected:,} rejected")
    _print_problems(report)
    click.echo("Nothing was stored (dry run).")


def _print_report(report: "ImportReport") -> None:
    rate = report.received / max(report.elapsed_s, 1e-9)
    click.echo(
        f"{report.received:,} read, {report.stored:,} stored, {report.duplicates:,} duplicate, "
        f"{report.rejected:,} rejected in {report.elapsed_s:.1f} s ({rate:,.0f}/s)"
    )
    if report.known:
        click.echo(f"{report.known:,} had been imported before from the same file")
    _print_problems(report)


def _print_problems(report: "ImportReport") -> None:
    for reason, count in report.reasons.most_common():
        click.echo(f"  {reason}: {count:,}")
    for rejection in report.examples:
        click.echo(f"    {rejection.detail}  [{rejection.sample[:80]}]")
