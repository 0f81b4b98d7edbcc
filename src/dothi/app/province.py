"""What is known of the province before it reports: attributes, map layers, base map."""

from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from dothi.api.layers import Layer
from dothi.app.attribute_files import read_attribute_specs
from dothi.app.config.sections import ProvinceSettings
from dothi.app.example.files import find_data_folder
from dothi.console.settings import ConsoleSettings
from dothi.model.attribute_spec import AttributeSpec
from dothi.model.problem import Problem


class Province(Struct, frozen=True):
    """Read once at the start."""

    specs: Mapping[str, AttributeSpec]
    layers: tuple[Layer, ...]
    console: ConsoleSettings


def read_province(settings: ProvinceSettings, console: ConsoleSettings) -> Province:
    """The configured files; where none is configured, those that come with dothi.

    Raises Problem: a file is missing or not what it should be.
    """
    shipped = find_data_folder()
    attributes = Path(settings.attributes_file or shipped / "attributes.toml")
    layers = Path(settings.layers_file or shipped / "layers.json")
    if console.basemap_dir is None:
        console = msgspec.structs.replace(console, basemap_dir=shipped / "basemap")
    try:
        return Province(read_attribute_specs(attributes), _read_layers(layers), console)
    except (OSError, msgspec.DecodeError) as error:
        raise Problem(
            "province_file_unusable",
            "A file about the province cannot be read",
            str(error),
            where=f"{attributes} {layers}",
            remedy="docs/reference/example.md shows what these files look like",
        ) from error


def _read_layers(path: Path) -> tuple[Layer, ...]:
    return msgspec.json.decode(path.read_bytes(), type=tuple[Layer, ...])
