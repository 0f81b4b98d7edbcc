"""`dothi doctor`: checks the place and says the remedy."""

from pathlib import Path

import click

from dothi.access.permission import Permission
from dothi.cli.command import load_settings, needs, open_folder, with_data_dir, with_settings_file

_MARKS = {"ok": ("ok", "green"), "warning": ("warn", "yellow"), "failure": ("FAIL", "red")}


@click.command(cls=needs(Permission.ADMINISTER))
@with_data_dir
@with_settings_file
@click.pass_context
def doctor(ctx: click.Context, data_dir: Path, config_file: Path | None) -> None:
    """Check disk, clock, ports, permissions, SQLite and console. Exit code 1: something fails."""
    from dothi.app.doctor import examine

    loaded = load_settings(data_dir, config_file)
    failed = False
    for finding in examine(loaded.settings, open_folder(data_dir)):
        mark, colour = _MARKS[finding.verdict]
        click.echo(f"{click.style(f'{mark:<4}', fg=colour)} {finding.name}: {finding.text}")
        if finding.remedy and finding.verdict != "ok":
            click.echo(f"     remedy: {finding.remedy}")
        failed = failed or finding.verdict == "failure"
    ctx.exit(1 if failed else 0)
