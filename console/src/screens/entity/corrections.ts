/** Observations that were corrected, with every value they ever had, newest first. */

import type { RevisionSeries } from '../../api/types';

export interface Correction {
  t: number;
  v: number | string | null;
  q: number;
  revision: number;
  committed: number;
  source: string;
  isInForce: boolean;
}

export function corrections(series: RevisionSeries | undefined): Correction[] {
  if (!series) return [];
  const highest = new Map<number, number>();
  series.t.forEach((t, i) => {
    highest.set(t, Math.max(highest.get(t) ?? 0, series.revision[i] ?? 0));
  });
  const rows = series.t.flatMap((t, i): Correction[] => {
    const top = highest.get(t) ?? 0;
    if (top === 0) return [];
    const revision = series.revision[i] ?? 0;
    return [
      {
        t,
        v: series.v[i] ?? null,
        q: series.q[i] ?? 0,
        revision,
        committed: series.committed[i] ?? t,
        source: series.source[i] ?? '',
        isInForce: revision === top,
      },
    ];
  });
  return rows.sort((a, b) => b.t - a.t || b.revision - a.revision);
}
