"""UN/CEFACT Recommendation 20 codes as people read them, and the decimals worth showing.

The console has the same table (console/src/format/unit.ts); a test holds them together.
"""

_SYMBOLS: dict[str, tuple[str, int | None]] = {
    "GQ": ("µg/m³", 1),
    "GP": ("mg/m³", 2),
    "59": ("ppm", None),
    "61": ("ppb", None),
    "MTR": ("m", 2),
    "MMT": ("mm", 1),
    "CMT": ("cm", 1),
    "KMT": ("km", 1),
    "H67": ("mm/h", 1),
    "CEL": ("°C", 1),
    "KEL": ("K", 1),
    "P1": ("%", 0),
    "A97": ("hPa", 1),
    "MBR": ("mbar", 1),
    "PAL": ("Pa", 0),
    "MTS": ("m/s", 1),
    "KMH": ("km/h", 1),
    "MQS": ("m³/s", 1),
    "DD": ("°", 0),
    "M1": ("mg/l", 2),
    "GL": ("g/l", 2),
    "D54": ("W/m²", 0),
    "LUX": ("lx", 0),
    "VLT": ("V", 2),
    "AMP": ("A", 2),
    "WTT": ("W", 0),
    "KWH": ("kWh", 1),
    "2N": ("dB", 1),
    "Q30": ("pH", 2),
    "C62": ("", None),
    "1": ("", None),
    "SEC": ("s", None),
    "MIN": ("min", None),
    "HUR": ("h", None),
    "H61": ("mS/cm", 2),
    "NTU": ("NTU", 1),
}


def symbol_of(code: str) -> str:
    """The code itself where it is not known here."""
    return _SYMBOLS.get(code, (code, None))[0]


def decimals_of(code: str) -> int | None:
    """None: as many as the value needs."""
    return _SYMBOLS.get(code, (code, None))[1]
