/** Outer rings of an area, as the map shows them: pure. */

import type { LonLat } from '../../api/warnings';

/** Of a GeoJSON Polygon or MultiPolygon; holes are not shown. */
export function ringsOf(geometry: unknown): LonLat[][] {
  const { type, coordinates } = (geometry ?? {}) as { type?: string; coordinates?: unknown };
  if (type === 'Polygon') return [(coordinates as LonLat[][])[0] ?? []];
  if (type === 'MultiPolygon') return (coordinates as LonLat[][][]).map((one) => one[0] ?? []);
  return [];
}
