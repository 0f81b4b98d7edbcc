/** Time ranges of charts and how finely each is drawn. */

import type { TextKey } from '../../i18n/text';

const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
export const WEEK_MS = 7 * DAY_MS;

export const ROLLING = {
  '1h': HOUR_MS,
  '6h': 6 * HOUR_MS,
  '24h': DAY_MS,
  '7d': WEEK_MS,
  '30d': 30 * DAY_MS,
} as const;

export type RollingId = keyof typeof ROLLING;

export interface Range {
  /** A rolling range ends now and moves on; a custom one stands still. */
  id: RollingId | 'custom';
  startMs: number;
  endMs: number;
}

export function parseRange(params: URLSearchParams, nowMs: number, fallback: RollingId): Range {
  const start = Date.parse(params.get('start') ?? '');
  const end = Date.parse(params.get('end') ?? '');
  if (start < end) return { id: 'custom', startMs: start, endMs: end };
  const asked = params.get('range') ?? fallback;
  const id = asked in ROLLING ? (asked as RollingId) : fallback;
  return { id, startMs: nowMs - ROLLING[id], endMs: nowMs };
}

/** How often a rolling range is asked for anew. */
export function refreshMs(range: Range): number | null {
  if (range.id === 'custom') return null;
  if (range.endMs - range.startMs <= 6 * HOUR_MS) return 5_000;
  return range.id === '24h' ? 20_000 : 60_000;
}

export const FOLDS = ['auto', 'raw', 'PT1M', 'PT5M', 'PT15M', 'PT1H', 'P1D'] as const;
export type Fold = (typeof FOLDS)[number];
export type Period = Exclude<Fold, 'auto'>;

const PERIOD_MS: Record<Exclude<Period, 'raw'>, number> = {
  PT1M: 60_000,
  PT5M: 300_000,
  PT15M: 900_000,
  PT1H: HOUR_MS,
  P1D: DAY_MS,
};

/** About 300 to 1,000 points across the chart. */
export function periodFor(fold: Fold, spanMs: number): Period {
  if (fold !== 'auto') return fold;
  if (spanMs <= 2 * HOUR_MS) return 'raw';
  if (spanMs <= 8 * HOUR_MS) return 'PT1M';
  if (spanMs <= 2 * DAY_MS) return 'PT5M';
  if (spanMs <= 8 * DAY_MS) return 'PT15M';
  return spanMs <= 60 * DAY_MS ? 'PT1H' : 'P1D';
}

export function periodMs(period: Period): number | null {
  return period === 'raw' ? null : PERIOD_MS[period];
}

export function foldLabel(fold: Fold): TextKey {
  return `fold_${fold}`;
}
