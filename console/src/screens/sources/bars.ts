/** Receipts per minute as stacked bars: one bar per slot of time, empty slots included. */

import type { ReceiptMinute } from '../../api/types';
import { total, type Receipt } from '../../parts/receipt';

export interface Bar extends Receipt {
  at: number;
}

const MINUTE_MS = 60_000;

/** `count` bars of `slotMinutes` each, the last one holding `endMs`. */
export function bars(minutes: ReceiptMinute[], endMs: number, count: number, slotMinutes: number): Bar[] {
  const slotMs = slotMinutes * MINUTE_MS;
  const first = Math.floor(endMs / slotMs) - count + 1;
  const slots: Receipt[][] = Array.from({ length: count }, () => []);
  for (const minute of minutes)
    slots[Math.floor(Date.parse(minute.minute_at) / slotMs) - first]?.push(minute);
  return slots.map((slot, i) => ({ at: (first + i) * slotMs, ...total(slot) }));
}
