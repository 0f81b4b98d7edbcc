"""What all commands share: their permission, and the options for data directory and settings."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from dothi.access.permission import Permission
from dothi.access.principal import ADMINISTRATOR, require

if TYPE_CHECKING:
    from dothi.app.config.load import Loaded
    from dothi.app.config.settings import Settings
    from dothi.app.data_folder import DataFolder

F = TypeVar("F", bound=Callable[..., Any])


class Command(click.Command):
    """A command that names the permission it needs.

    Who may open the data directory is its administrator, so this always passes today; the
    permission is named so that roles can hold here as they do at the doors.
    """

    permission: Permission = Permission.ADMINISTER

    def invoke(self, ctx: click.Context) -> Any:
        require(ADMINISTRATOR, self.permission)
        return super().invoke(ctx)


def needs(permission: Permission) -> type[Command]:
    """The class of a command, for `@click.command(cls=needs(...))`."""
    return type("Command", (Command,), {"permission": permission})


def with_data_dir(function: F) -> F:
    """Add `--data-dir`."""
    return click.option(
        "--data-dir",
        type=click.Path(file_okay=False, path_type=Path),
        envvar="DOTHI_DATA_DIR",
        default=Path("data"),
        show_default=True,
        help="Where everything is kept.",
    )(function)


def with_settings_file(function: F) -> F:
    """Add `--config`."""
    return click.option(
        "--config",
        "config_file",
        type=click.Path(dir_okay=False, path_type=Path),
        envvar="DOTHI_CONFIG",
        help="Settings file; default: dothi.toml in the data directory, when it is there.",
    )(function)


def open_folder(data_dir: Path) -> "DataFolder":
    """The data directory; it need not exist yet."""
    from dothi.app.data_folder import DataFolder

    return DataFolder(data_dir)


def load_settings(
    data_dir: Path, config_file: Path | None, flags: dict[str, Any] | None = None
) -> "Loaded[Settings]":
    """The settings as every command sees them."""
    from dothi.app.config.load import load
    from dothi.app.config.settings import Settings

    file = config_file
    default_file = open_folder(data_dir).settings
    if file is None and default_file.exists():
        file = default_file
    return load(Settings, file, os.environ, flags)
