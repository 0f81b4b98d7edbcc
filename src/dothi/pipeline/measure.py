"""Units and quality flags: what admit does to the numbers of a group, on whole columns.

What NGSI-LD clients write comes back to them as they wrote it (ETSI GS CIM 009 V1.9.1, clause
4.6.4): no unit is added to it, and where a number is converted the body keeps what was told.
"""

from collections.abc import Mapping

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dothi.model.attribute_spec import AttributeSpec
from dothi.model.quality import UNSET, Quality
from dothi.model.row import Change
from dothi.model.units import BY_CODE, Unit, conversion, find_unit

UNIT_UNKNOWN = "unit_unknown"
UNIT_MISMATCH = "unit_mismatch"
_EXACT = 2**53

_TOLD = np.array([Change.ASSIGN, Change.RECORD], dtype=np.uint8)
"""Changes by which NGSI-LD clients write values."""


class UnitPlan:
    """For each distinct (attribute, unit) pair of a group: the factor, the offset, the verdict."""

    def __init__(
        self,
        attribute: pa.DictionaryArray,
        unit: pa.DictionaryArray,
        change: npt.NDArray[np.uint8],
        specs: Mapping[str, AttributeSpec],
    ) -> None:
        names = attribute.dictionary.to_pylist()
        units = unit.dictionary.to_pylist()
        missing, none = len(units), len(units) + 1
        width = len(units) + 2
        attribute_codes = attribute.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        codes = unit.indices.fill_null(missing).to_numpy(zero_copy_only=False)
        self._is_told = np.isin(change, _TOLD)
        codes = np.where(self._is_told & (codes == missing), none, codes)
        pairs, self.pair_of_row = np.unique(attribute_codes * width + codes, return_inverse=True)
        self.factor = np.ones(len(pairs))
        self.offset = np.zeros(len(pairs))
        self.reason = np.zeros(len(pairs), np.uint8)
        """0 fine, 1 unknown unit, 2 does not convert to the attribute's unit."""
        self.code: list[str | None] = [None] * len(pairs)
        for at, pair in enumerate(pairs):
            code = pair % width
            if code != none:
                given = None if code == missing else units[code]
                self._plan(at, given, specs.get(names[pair // width]))

    def _plan(self, at: int, given: str | None, spec: AttributeSpec | None) -> None:
        wanted = BY_CODE.get(spec.unit) if spec and spec.unit else None
        if given is None or given == "":
            self.code[at] = wanted.code if wanted else None
            return
        found = find_unit(given)
        if found is None:
            self.reason[at] = 1
            return
        self._convert(at, found, wanted)

    def _convert(self, at: int, found: Unit, wanted: Unit | None) -> None:
        self.code[at] = (wanted or found).code
        if wanted is None or wanted.code == found.code:
            return
        rule = conversion(found, wanted)
        if rule is None:
            self.reason[at] = 2
            return
        self.factor[at], self.offset[at] = rule

    @property
    def changes_numbers(self) -> bool:
        return bool((self.factor != 1.0).any() or (self.offset != 0.0).any())

    def convert(self, number: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        converted: npt.NDArray[np.float64] = (
            number * self.factor[self.pair_of_row] + self.offset[self.pair_of_row]
        )
        return converted

    def bodies(self, table: pa.Table) -> pa.Array | pa.ChunkedArray:
        """The bodies, with the number and the unit as they were told where they are converted."""
        is_converted = (self.factor != 1.0) | (self.offset != 0.0)
        kept = is_converted[self.pair_of_row] & self._is_told
        rows = np.flatnonzero(kept & pc.is_valid(table["number"]).to_numpy(zero_copy_only=False))
        if not len(rows):
            return table["body"]
        bodies = table["body"].to_pylist()
        told = table.select(["number", "unit"]).take(pa.array(rows)).to_pylist()
        for at, cells in zip(rows, told, strict=True):
            bodies[at] = _body_with(bodies[at], cells["number"], cells["unit"])
        return pa.array(bodies, pa.string())

    def unit_column(self) -> pa.DictionaryArray:
        """The normalised unit of every row."""
        return (
            pa.DictionaryArray.from_arrays(
                pa.array(self.pair_of_row.astype(np.int32)), pa.array(self.code, pa.string())
            )
            .dictionary_decode()
            .dictionary_encode()
        )

    def row_reason(self) -> npt.NDArray[np.uint8]:
        found: npt.NDArray[np.uint8] = self.reason[self.pair_of_row]
        return found


def _body_with(body: str | None, number: float, unit: str) -> str:
    whole = number.is_integer() and abs(number) <= _EXACT
    told = {"value": int(number) if whole else number, "unitCode": unit}
    rest = {} if body is None else msgspec.json.decode(body)
    return msgspec.json.encode(told | rest).decode()


def flag(
    number: npt.NDArray[np.float64],
    quality: npt.NDArray[np.uint8],
    attribute: pa.DictionaryArray,
    specs: Mapping[str, AttributeSpec],
) -> npt.NDArray[np.uint8]:
    """Quality per row: the sender's flag, else the verdict of the limits (gross range test).

    Outside the fail range BAD, outside the suspect range UNCERTAIN, else GOOD; a row without a
    number is judged GOOD.
    """
    unset = quality == UNSET
    if not unset.any():
        return quality
    names = attribute.dictionary.to_pylist()
    limits = np.array([_limits(specs.get(name)) for name in names], dtype=np.float64).reshape(-1, 4)
    low_fail, low_suspect, high_suspect, high_fail = limits[
        attribute.indices.to_numpy(zero_copy_only=False)
    ].T
    with np.errstate(invalid="ignore"):
        verdict = np.where((number < low_suspect) | (number > high_suspect), Quality.UNCERTAIN, 1)
        verdict = np.where((number < low_fail) | (number > high_fail), Quality.BAD, verdict)
    return np.where(unset, verdict, quality).astype(np.uint8)


def verdict_of(number: float | None, spec: AttributeSpec | None) -> int:
    """The same for one number."""
    if number is None or spec is None:
        return Quality.GOOD
    low_fail, low_suspect, high_suspect, high_fail = _limits(spec)
    if number < low_fail or number > high_fail:
        return Quality.BAD
    is_suspect = number < low_suspect or number > high_suspect
    return Quality.UNCERTAIN if is_suspect else Quality.GOOD


def _limits(spec: AttributeSpec | None) -> tuple[float, float, float, float]:
    lowest, highest = -np.inf, np.inf
    if spec is None:
        return lowest, lowest, highest, highest
    return (
        lowest if spec.fail_low is None else spec.fail_low,
        lowest if spec.suspect_low is None else spec.suspect_low,
        highest if spec.suspect_high is None else spec.suspect_high,
        highest if spec.fail_high is None else spec.fail_high,
    )
