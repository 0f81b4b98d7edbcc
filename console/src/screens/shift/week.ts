/** Weeks by the calendar of Asia/Ho_Chi_Minh: where they begin, and which shifts lie on which day. */

import type { Shift } from '../../api/people';
import { ZONE_OFFSET_MS } from '../../format/time';

export const DAY_MS = 86_400_000;
/** 1970-01-05 was a Monday. */
const MONDAY_MS = 4 * DAY_MS;

/** The Monday 00:00 local time at or before a time, in milliseconds since 1970. */
export function weekOf(ms: number): number {
  const local = ms + ZONE_OFFSET_MS - MONDAY_MS;
  return Math.floor(local / (7 * DAY_MS)) * 7 * DAY_MS + MONDAY_MS - ZONE_OFFSET_MS;
}

/** `2026-11-30` of the local day of a time. */
export function dayText(ms: number): string {
  return new Date(ms + ZONE_OFFSET_MS).toISOString().slice(0, 10);
}

/** Local midnight of `2026-11-30`; null: no date. */
export function dayMs(text: string | null): number | null {
  if (!text || !/^\d{4}-\d\d-\d\d$/.test(text)) return null;
  const ms = Date.parse(`${text}T00:00:00Z`);
  return Number.isNaN(ms) ? null : ms - ZONE_OFFSET_MS;
}

/** Per position the shifts that begin on each of seven days; the first day also has what came over
 * from the day before. */
export function byDay(shifts: Shift[], startMs: number): Map<string, Shift[][]> {
  const found = new Map<string, Shift[][]>();
  for (const shift of shifts) {
    const day = Math.max(0, Math.floor((Date.parse(shift.starts_at) - startMs) / DAY_MS));
    if (day > 6) continue;
    let days = found.get(shift.position);
    if (!days) found.set(shift.position, (days = Array.from({ length: 7 }, () => [])));
    days[day]?.push(shift);
  }
  return found;
}
