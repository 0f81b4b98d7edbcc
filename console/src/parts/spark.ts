/** A small line through a day of values. */

export interface SparkPoint {
  t: number;
  v: number | null;
}

/** SVG path and range; null: fewer than two values. A missing value breaks the line. */
export function sparkPath(
  points: SparkPoint[],
  width: number,
  height: number,
): { path: string; min: number; max: number } | null {
  const values = points.flatMap((p) => (p.v === null ? [] : [p.v]));
  const first = points[0];
  const last = points.at(-1);
  if (values.length < 2 || !first || !last || last.t <= first.t) return null;
  const min = Math.min(...values);
  const max = Math.max(...values);
  const x = (t: number) => ((t - first.t) / (last.t - first.t)) * width;
  const y = (v: number) => height - 3 - ((v - min) / (max - min || 1)) * (height - 6);
  let path = '';
  let isDown = false;
  for (const { t, v } of points) {
    if (v !== null) path += `${isDown ? 'L' : 'M'}${x(t).toFixed(1)} ${y(v).toFixed(1)}`;
    isDown = v !== null;
  }
  return { path, min, max };
}
