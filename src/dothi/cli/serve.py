"""`dothi serve`: the program without the example, as a service runs it."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dothi.access.permission import Permission
from dothi.cli.command import load_settings, needs, open_folder, with_data_dir, with_settings_file

if TYPE_CHECKING:
    from dothi.app.started import Started

_OPTIONS = (
    click.option("--host", help="Address of the HTTP server. [default: 127.0.0.1]"),
    click.option("--port", type=click.IntRange(0, 65535), help="HTTP port. [default: 8400]"),
    click.option("--mqtt-host", help="Address of the MQTT broker. [default: 127.0.0.1]"),
    click.option("--mqtt-port", type=click.IntRange(0, 65535), help="MQTT port. [default: 1883]"),
)

_SETTING_OF = {
    "host": "server.host",
    "port": "server.port",
    "mqtt_host": "mqtt.embedded.host",
    "mqtt_port": "mqtt.embedded.port",
}


def with_addresses(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--host`, `--port`, `--mqtt-host` and `--mqtt-port`."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


@click.command(cls=needs(Permission.ADMINISTER))
@with_addresses
@with_data_dir
@with_settings_file
def serve(data_dir: Path, config_file: Path | None, **addresses: Any) -> None:
    """Start dothi without the example."""
    run_program(data_dir, config_file, address_flags(addresses), with_example=False)


def address_flags(addresses: dict[str, Any]) -> dict[str, Any]:
    """The options of `with_addresses` as settings."""
    return {_SETTING_OF[name]: value for name, value in addresses.items()}


def run_program(
    data_dir: Path, config_file: Path | None, flags: dict[str, Any], with_example: bool
) -> None:
    """Run until a signal."""
    from dothi.app.mode import EXAMPLE, NORMAL
    from dothi.app.run import run

    loaded = load_settings(data_dir, config_file, flags)
    run(loaded, open_folder(data_dir), EXAMPLE if with_example else NORMAL, announce)


def announce(started: "Started") -> None:
    """Tell the person at the terminal where to go, in Vietnamese and English."""
    lines = [""]
    if started.login_url:
        lines += [
            "Mở liên kết này để đăng nhập (dùng một lần) / Open this link to sign in (works once):",
            "",
            f"    {started.login_url}",
        ]
    else:
        lines += [
            "dothi đang chạy / dothi is running:",
            "",
            f"    {started.url}",
            "",
            "Liên kết đăng nhập mới / A new sign-in link:  dothi login-link",
        ]
    lines.append("")
    lines += [f"{name}: {address}" for name, address in started.details.items()]
    for door in started.plain_doors:
        lines += [
            f"CẢNH BÁO: {door.name} nghe ở {door.host} mà không có TLS: {door.secrets_vi} có thể "
            "bị đọc trên đường truyền.",
            f"WARNING: {door.name} listens on {door.host} without TLS: {door.secrets} can be read "
            "on the way.",
            f"    {door.remedy}",
        ]
    lines.append("Dừng / Stop: Ctrl+C")
    click.echo("\n".join(lines))
