/** Series as lines of a chart: gaps where nothing was measured, one time axis for all. */

export interface Line {
  /** `entity|attribute|dataset` and, for a comparison, a suffix. */
  key: string;
  name: string;
  unit: string;
  decimals: number | undefined;
  colorIndex: number;
  isComparison: boolean;
  t: number[];
  v: (number | null)[];
  /** Quality per value; empty: aggregates. */
  q: number[];
}

/** Longest step that is still drawn as a line: three times the usual one, or one missing period. */
export function longestStep(t: number[], periodMs: number | null): number {
  const steps = t.slice(1).map((at, i) => at - (t[i] as number));
  steps.sort((a, b) => a - b);
  const usual = steps[(steps.length - 1) >> 1] ?? Infinity;
  if (periodMs === null) return 3 * usual;
  return usual > periodMs ? 2.5 * usual : 1.5 * periodMs;
}

/** A null after each value that the next one follows too late: the line breaks there. */
export function withGaps(line: Line, periodMs: number | null): Line {
  const most = longestStep(line.t, periodMs);
  const t: number[] = [];
  const v: (number | null)[] = [];
  const q: number[] = [];
  line.t.forEach((at, i) => {
    const before = line.t[i - 1];
    if (before !== undefined && at - before > most) {
      t.push(before + 1);
      v.push(null);
      if (line.q.length) q.push(1);
    }
    t.push(at);
    v.push(line.v[i] ?? null);
    if (line.q.length) q.push(line.q[i] ?? 1);
  });
  return { ...line, t, v, q };
}

/** Times of all lines together, and each line's values on them (undefined: no value of its own there). */
export function align(lines: Line[]): { t: number[]; columns: (number | null | undefined)[][] } {
  const t = [...new Set(lines.flatMap((line) => line.t))].sort((a, b) => a - b);
  const place = new Map(t.map((at, i) => [at, i]));
  const columns = lines.map((line) => {
    const column = new Array<number | null | undefined>(t.length).fill(undefined);
    line.t.forEach((at, i) => (column[place.get(at) as number] = line.v[i] ?? null));
    return column;
  });
  return { t, columns };
}

/** Index of the value nearest to a time, or -1 when none lies within `withinMs`. */
export function nearest(t: number[], at: number, withinMs: number): number {
  let low = 0;
  let high = t.length;
  while (low < high) {
    const mid = (low + high) >> 1;
    if ((t[mid] as number) < at) low = mid + 1;
    else high = mid;
  }
  const after = t[low];
  const before = t[low - 1];
  const best = after === undefined || (before !== undefined && at - before <= after - at) ? low - 1 : low;
  const found = t[best];
  return found !== undefined && Math.abs(found - at) <= withinMs ? best : -1;
}

/** Lines of the same unit share a panel; panels stand in order of their first line. */
export function byUnit(lines: Line[]): Line[][] {
  const panels = new Map<string, Line[]>();
  for (const line of lines) panels.set(line.unit, [...(panels.get(line.unit) ?? []), line]);
  return [...panels.values()];
}

/** Times of values that need a mark of their own: of doubtful quality, or alone between gaps. */
export function marked(line: Line): Set<number> {
  const isEmpty = (i: number) => line.v[i] == null;
  const picked = line.t.filter(
    (_, i) =>
      !isEmpty(i) && ((line.q[i] ?? 1) > 1 || (isEmpty(i - 1) && isEmpty(i + 1))),
  );
  return new Set(picked);
}
