/** Pure parts of the screen: order of the list, shapes, new content, times. */

import type { Content, LonLat, Shape, WarningRow, WarningState } from '../../api/warnings';

/** What waits for somebody first, then what is in force, then the past. */
const ORDER: WarningState[] = ['submitted', 'active', 'draft', 'cancelled', 'expired', 'discarded'];

function rank(row: WarningRow): number {
  return row.open_state === 'submitted' ? 0 : ORDER.indexOf(row.state);
}

export function arranged(rows: WarningRow[]): WarningRow[] {
  return [...rows].sort((a, b) => rank(a) - rank(b) || b.id - a.id);
}

export function newShape(number: number, word: string): Shape {
  return { name_vi: `${word} ${number}`, name_en: '', polygon: [], centre: null, radius_km: 0 };
}

/** A ring to show, closed; null: too few corners for a surface. */
export function ringOf(corners: LonLat[]): LonLat[] | null {
  const [first] = corners;
  return first && corners.length >= 3 ? [...corners, first] : null;
}

/** Two contents that say the same. */
export function isSame(a: Content, b: Content): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** A decimal number as people here write it, with comma or point; null: none, or out of range. */
export function readDegrees(text: string, most: number): number | null {
  const value = Number(text.trim().replace(',', '.'));
  return text.trim() !== '' && Number.isFinite(value) && Math.abs(value) <= most ? value : null;
}
