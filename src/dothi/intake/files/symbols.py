"""Symbols of Circular 10/2021/TT-BTNMT, table 34, as attributes and units."""

from collections.abc import Mapping

from msgspec import Struct

from dothi.intake.files.settings import SymbolSettings
from dothi.model.units import Unit, find_unit

_WATER = ("mg/L",)
_AIR = ("ug/m3", "ppm")
_TABLE_34: dict[str, tuple[str, tuple[str, ...]]] = {
    "Flow": ("flow", ("m3/h",)),
    "Temp": ("temperature", ("Cel",)),
    "Color": ("color", ("Pt-Co",)),
    "pH": ("pH", ("pH",)),
    "TSS": ("tss", _WATER),
    "COD": ("cod", _WATER),
    "NH4": ("nh4", _WATER),
    "TP": ("totalPhosphorus", _WATER),
    "TN": ("totalNitrogen", _WATER),
    "TOC": ("toc", _WATER),
    "Cl": ("cl", _WATER),
    "RH": ("relativeHumidity", ("%",)),
    "P": ("pressure", ("hPa",)),
    "NO": ("no", _AIR),
    "NO2": ("no2", _AIR),
    "CO": ("co", _AIR),
    "SO2": ("so2", _AIR),
    "O2": ("o2", ("%",)),
    "H2S": ("h2s", _AIR),
    "NH3": ("nh3", _AIR),
    "VHg": ("hg", _AIR),
    "PM": ("pm", _AIR),
    "O3": ("o3", _AIR),
    "PM10": ("pm10", ("ug/m3",)),
    "PM2,5": ("pm25", ("ug/m3",)),
    "PM2.5": ("pm25", ("ug/m3",)),
    "PM25": ("pm25", ("ug/m3",)),
}


class Symbol(Struct, frozen=True):
    """What a symbol means; `units` are those whose quantities it may be given in."""

    attribute: str
    units: tuple[Unit, ...]

    def unit_of(self, written: str) -> str | None:
        """UN/CEFACT code of the unit in the line; None when it is of another quantity."""
        if written in {"", "-"}:
            return self.units[0].code
        # A file of stack gas says Nm3 (dry, 0 °C): the reference state is the station's, the
        # unit code is that of m3.
        found = find_unit(written.replace("Nm", "m"))
        quantities = {unit.quantity for unit in self.units}
        return found.code if found and found.quantity in quantities else None


def symbol_table(extra: Mapping[str, SymbolSettings]) -> dict[str, Symbol]:
    """Folded symbol -> meaning.

    Raises:
        ValueError: a configured unit is not known.
    """
    table = dict(_TABLE_34) | {name: (s.attribute, s.units) for name, s in extra.items()}
    return {fold(name): Symbol(at, _units(name, units)) for name, (at, units) in table.items()}


def fold(symbol: str) -> str:
    """Symbols are told apart without regard to case."""
    return symbol.casefold()


def _units(symbol: str, texts: tuple[str, ...]) -> tuple[Unit, ...]:
    found = [find_unit(text) for text in texts]
    known = tuple(unit for unit in found if unit is not None)
    if not known or len(known) < len(found):
        raise ValueError(f"symbol {symbol}: one of the units {list(texts)} is not known")
    return known
