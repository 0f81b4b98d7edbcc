import { describe, expect, it } from 'vitest';
import { align, byUnit, marked, nearest, withGaps, type Line } from '../src/parts/chart/lines';
import { parseRange, periodFor, ROLLING } from '../src/parts/chart/range';
import { sparkPath } from '../src/parts/spark';

function line(key: string, t: number[], v: (number | null)[], unit = 'm'): Line {
  return { key, name: key, unit, decimals: 1, colorIndex: 0, isComparison: false, t, v, q: [] };
}

describe('lines', () => {
  it('break where nothing was measured', () => {
    const broken = withGaps(line('a', [0, 10, 20, 90, 100], [1, 2, 3, 4, 5]), null);
    expect(broken.t).toEqual([0, 10, 20, 21, 90, 100]);
    expect(broken.v).toEqual([1, 2, 3, null, 4, 5]);
  });
  it('break between folded values when one period is missing', () => {
    expect(withGaps(line('a', [0, 60, 180], [1, 2, 3]), 60).v).toEqual([1, 2, null, 3]);
  });
  it('hold together when values are rarer than the period', () => {
    const hourly = [0, 3600, 7200, 10_800].map((s) => s * 1000);
    expect(withGaps(line('a', hourly, [1, 2, 3, 4]), 300_000).v).toEqual([1, 2, 3, 4]);
  });
  it('mark what is doubtful and what stands alone', () => {
    const lonely = { ...line('a', [0, 1, 2, 3, 4], [1, 2, null, 4, null]), q: [1, 3, 1, 1, 1] };
    expect([...marked(lonely)]).toEqual([1, 3]);
  });
  it('share one time axis without inventing values', () => {
    const { t, columns } = align([line('a', [0, 20], [1, 2]), line('b', [10, 20], [3, null])]);
    expect(t).toEqual([0, 10, 20]);
    expect(columns).toEqual([
      [1, undefined, 2],
      [undefined, 3, null],
    ]);
  });
  it('of one unit share a panel', () => {
    const panels = byUnit([line('a', [], [], 'm'), line('b', [], [], 'mm'), line('c', [], [], 'm')]);
    expect(panels.map((p) => p.map((l) => l.key))).toEqual([['a', 'c'], ['b']]);
  });
});

describe('the cursor', () => {
  it('reads the nearest value, if one is near', () => {
    expect(nearest([0, 10, 20], 14, 10)).toBe(1);
    expect(nearest([0, 10, 20], 16, 10)).toBe(2);
    expect(nearest([0, 10, 20], 99, 10)).toBe(-1);
    expect(nearest([], 5, 10)).toBe(-1);
  });
});

describe('ranges', () => {
  const now = 1_800_000_000_000;
  it('roll unless start and end are given', () => {
    const rolling = parseRange(new URLSearchParams('range=6h'), now, '24h');
    expect(rolling).toEqual({ id: '6h', startMs: now - ROLLING['6h'], endMs: now });
    const fixed = new URLSearchParams('start=2026-11-01T00:00:00Z&end=2026-11-02T00:00:00Z');
    expect(parseRange(fixed, now, '24h').id).toBe('custom');
  });
  it('fall back when the URL holds nonsense', () => {
    expect(parseRange(new URLSearchParams('range=9y'), now, '24h').id).toBe('24h');
    const reversed = new URLSearchParams('start=2026-11-02T00:00:00Z&end=2026-11-01T00:00:00Z');
    expect(parseRange(reversed, now, '1h').id).toBe('1h');
  });
  it('are folded so that a chart has some hundred points', () => {
    for (const span of Object.values(ROLLING)) {
      const period = periodFor('auto', span);
      const seconds = { raw: 5, PT1M: 60, PT5M: 300, PT15M: 900, PT1H: 3600, P1D: 86_400 }[period];
      expect(span / 1000 / seconds).toBeLessThanOrEqual(1000);
    }
    expect(periodFor('PT1H', ROLLING['1h'])).toBe('PT1H');
  });
});

describe('sparklines', () => {
  it('need two values and break at missing ones', () => {
    expect(sparkPath([{ t: 0, v: 1 }], 100, 20)).toBeNull();
    const points = [
      { t: 0, v: 1 },
      { t: 1, v: null },
      { t: 2, v: 3 },
    ];
    expect(sparkPath(points, 100, 20)).toEqual({ path: 'M0.0 17.0M100.0 3.0', min: 1, max: 3 });
  });
});
