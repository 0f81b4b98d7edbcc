/** UN/CEFACT Recommendation 20 codes as the symbols people read, and the decimals worth showing. */

const UNITS: Record<string, [symbol: string, decimals?: number]> = {
  GQ: ['µg/m³', 1],
  GP: ['mg/m³', 2],
  '59': ['ppm'],
  '61': ['ppb'],
  MTR: ['m', 2],
  MMT: ['mm', 1],
  CMT: ['cm', 1],
  KMT: ['km', 1],
  H67: ['mm/h', 1],
  CEL: ['°C', 1],
  KEL: ['K', 1],
  P1: ['%', 0],
  A97: ['hPa', 1],
  MBR: ['mbar', 1],
  PAL: ['Pa', 0],
  MTS: ['m/s', 1],
  KMH: ['km/h', 1],
  MQS: ['m³/s', 1],
  DD: ['°', 0],
  M1: ['mg/l', 2],
  GL: ['g/l', 2],
  D54: ['W/m²', 0],
  LUX: ['lx', 0],
  VLT: ['V', 2],
  AMP: ['A', 2],
  WTT: ['W', 0],
  KWH: ['kWh', 1],
  '2N': ['dB', 1],
  Q30: ['pH', 2],
  C62: [''],
  '1': [''],
  SEC: ['s'],
  MIN: ['min'],
  HUR: ['h'],
  H61: ['mS/cm', 2],
  NTU: ['NTU', 1],
};

/** Codes that have a symbol. */
export const UNIT_CODES = Object.keys(UNITS).filter((code) => UNITS[code]?.[0]);

/** The code itself where it is not known here. */
export function unitSymbol(code: string | null): string {
  if (code === null) return '';
  return UNITS[code]?.[0] ?? code;
}

/** Decimals for values in this unit; undefined: as many as the value needs. */
export function unitDecimals(code: string | null): number | undefined {
  return code === null ? undefined : UNITS[code]?.[1];
}
