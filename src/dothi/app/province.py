"""What is known of the province before it reports: attributes, map layers, base map."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from dothi.api.layers import Layer
from dothi.app.attribute_files import read_attribute_specs
from dothi.app.config.sections import ProvinceSettings
from dothi.app.example.files import find_data_folder
from dothi.console.settings import ConsoleSettings
from dothi.model.attribute_spec import AttributeSpec
from dothi.model.problem import Problem


@dataclass(frozen=True)
class Province:
    """Read once at the start."""

    specs: Mapping[str, AttributeSpec]
    layers: tuple[Layer, ...]
    console: ConsoleSettings


def read_province(
    settings: ProvinceSettings, console: ConsoleSettings, with_example: bool
) -> Province:
    """The configured files; with the example, its own where none is configured.

    Raises Problem: a file is missing or not what it should be.
    """
    example = find_data_folder() if with_example else None
    attributes = _chosen(settings.attributes_file, example, "attributes.toml")
    layers = _chosen(settings.layers_file, example, "layers.json")
    if console.basemap_dir is None and example is not None:
        console = msgspec.structs.replace(console, basemap_dir=example / "basemap")
    try:
        return Province(
            specs=read_attribute_specs(attributes) if attributes else {},
            layers=_read_layers(layers) if layers else (),
            console=console,
        )
    except (OSError, msgspec.DecodeError) as error:
        raise Problem(
            "province_file_unusable",
            "A file about the province cannot be read",
            str(error),
            where=f"{attributes or ''} {layers or ''}".strip(),
            remedy="docs/reference/example.md shows what these files look like",
        ) from error


def _chosen(configured: str, example: Path | None, name: str) -> Path | None:
    if configured:
        return Path(configured)
    return example / name if example else None


def _read_layers(path: Path) -> tuple[Layer, ...]:
    return msgspec.json.decode(path.read_bytes(), type=tuple[Layer, ...])
