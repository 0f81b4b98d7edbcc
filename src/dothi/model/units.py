"""Units: what senders write (UCUM, UN/CEFACT, everyday symbols) to UN/CEFACT Rec 20 codes.

Sources: UN/CEFACT Recommendation 20 (codes), UCUM 2.1 (case-sensitive symbols), RFC 8428
(SenML's "%RH", "%EL", "/"). A unit that is not here is rejected with the list of those that
convert, never guessed.
"""

from msgspec import Struct


class Unit(Struct, frozen=True):
    """value_in_base = value * factor + offset."""

    code: str
    quantity: str
    factor: float
    offset: float
    symbols: tuple[str, ...]


_UNITS = (
    Unit("C62", "number", 1.0, 0.0, ("1", "-", "/", "{count}", "count", "none", "pH", "[pH]")),
    Unit("P1", "number", 0.01, 0.0, ("%", "percent", "%RH", "%EL")),
    Unit("NX", "number", 0.001, 0.0, ("‰", "[ppth]", "ppt", "psu", "PSU")),
    Unit("59", "number", 1e-6, 0.0, ("ppm", "[ppm]")),
    Unit("61", "number", 1e-9, 0.0, ("ppb", "[ppb]")),
    Unit("GP", "mass concentration", 1e-3, 0.0, ("mg/m3", "mg/m³", "mg/Nm3", "mg/Nm³")),
    Unit("GQ", "mass concentration", 1e-6, 0.0, ("ug/m3", "µg/m3", "μg/m3", "µg/m³", "μg/m³")),
    Unit("M1", "mass concentration", 1.0, 0.0, ("mg/L", "mg/l")),
    Unit("GL", "mass concentration", 1e3, 0.0, ("g/L", "g/l")),
    Unit("MTR", "length", 1.0, 0.0, ("m", "meter", "metre")),
    Unit("CMT", "length", 0.01, 0.0, ("cm",)),
    Unit("MMT", "length", 0.001, 0.0, ("mm",)),
    Unit("KMT", "length", 1000.0, 0.0, ("km",)),
    Unit("CEL", "temperature", 1.0, 0.0, ("Cel", "°C", "oC", "degC", "C")),
    Unit("KEL", "temperature", 1.0, -273.15, ("K",)),
    Unit("FAH", "temperature", 5 / 9, -160 / 9, ("[degF]", "°F", "degF")),
    Unit("MTS", "speed", 1.0, 0.0, ("m/s", "m.s-1")),
    Unit("KMH", "speed", 1 / 3.6, 0.0, ("km/h", "kmh")),
    Unit("MQS", "volume flow", 1.0, 0.0, ("m3/s", "m³/s")),
    Unit("MQH", "volume flow", 1 / 3600, 0.0, ("m3/h", "m³/h")),
    Unit("G52", "volume flow", 1 / 86400, 0.0, ("m3/d", "m³/d", "m3/day")),
    Unit("2J", "volume flow", 1e-6, 0.0, ("cm3/s",)),
    Unit("2K", "volume flow", 0.028316846592, 0.0, ("ft3/s", "[cft_i]/s", "cfs")),
    Unit("FOT", "length", 0.3048, 0.0, ("ft", "[ft_i]")),
    Unit("INH", "length", 0.0254, 0.0, ("in", "[in_i]")),
    Unit("H67", "intensity of rain", 1.0, 0.0, ("mm/h",)),
    Unit("PAL", "pressure", 1.0, 0.0, ("Pa",)),
    Unit("A97", "pressure", 100.0, 0.0, ("hPa", "mbar", "MBR")),
    Unit("KPA", "pressure", 1000.0, 0.0, ("kPa",)),
    Unit("BAR", "pressure", 1e5, 0.0, ("bar",)),
    Unit("2N", "sound level", 1.0, 0.0, ("dB", "dB(A)", "dBA")),
    Unit("DD", "angle", 1.0, 0.0, ("deg", "°")),
    Unit("C81", "angle", 57.29577951308232, 0.0, ("rad",)),
    Unit("D10", "conductivity", 1.0, 0.0, ("S/m",)),
    Unit("H61", "conductivity", 0.1, 0.0, ("mS/cm",)),
    Unit("G42", "conductivity", 1e-4, 0.0, ("uS/cm", "µS/cm", "μS/cm")),
    Unit("NTU", "turbidity", 1.0, 0.0, ("NTU", "[NTU]", "FNU")),
    Unit("D54", "irradiance", 1.0, 0.0, ("W/m2", "W/m²")),
    Unit("WTT", "power", 1.0, 0.0, ("W",)),
    Unit("KWT", "power", 1000.0, 0.0, ("kW",)),
    Unit("KWH", "energy", 3.6e6, 0.0, ("kWh", "kW.h")),
    Unit("VLT", "voltage", 1.0, 0.0, ("V",)),
    Unit("2Z", "voltage", 0.001, 0.0, ("mV",)),
    Unit("AMP", "current", 1.0, 0.0, ("A",)),
    Unit("HTZ", "frequency", 1.0, 0.0, ("Hz",)),
    Unit("SEC", "time", 1.0, 0.0, ("s",)),
    Unit("MIN", "time", 60.0, 0.0, ("min",)),
    Unit("HUR", "time", 3600.0, 0.0, ("h",)),
    Unit("KGM", "mass", 1.0, 0.0, ("kg",)),
    Unit("LTR", "volume", 0.001, 0.0, ("L", "l")),
    Unit("MTQ", "volume", 1.0, 0.0, ("m3", "m³")),
    Unit("LUX", "illuminance", 1.0, 0.0, ("lx", "lux")),
    Unit("PTCO", "colour of water", 1.0, 0.0, ("Pt-Co", "PCU", "TCU")),
    Unit("MPN", "most probable number", 1.0, 0.0, ("MPN/100mL", "MPN/100 ml", "MPN/100ml")),
)

BY_CODE = {unit.code: unit for unit in _UNITS}
_BY_SYMBOL = {s: u for u in _UNITS for s in (u.code, *u.symbols)}


def find_unit(text: str) -> Unit | None:
    """The unit that a sender means; None when it is not known."""
    return _BY_SYMBOL.get(text) or _BY_SYMBOL.get(text.strip())


def conversion(from_unit: Unit, to_unit: Unit) -> tuple[float, float] | None:
    """(factor, offset) with to = from * factor + offset; None when the quantities differ."""
    if from_unit.quantity != to_unit.quantity:
        return None
    factor = from_unit.factor / to_unit.factor
    return factor, (from_unit.offset - to_unit.offset) / to_unit.factor
