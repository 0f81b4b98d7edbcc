/** One uPlot panel: lines of one unit over the shared time axis. */

import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { formatNumber, type Lang } from '../../format/number';
import { formatClock, formatDate } from '../../format/time';
import { lineColor, lineDash } from './ink';
import { align, marked, type Line } from './lines';
import { DAY_MS } from './range';

export interface Look {
  lang: Lang;
  isDark: boolean;
  remPx: number;
  ink: string;
  grid: string;
}

export interface Shown {
  lines: Line[];
  range: [number, number];
}

export interface Frame {
  look: Look;
  width: number;
  height: number;
  /** Charts with the same key share their cursor. */
  syncKey: string;
  oncursor: (at: number | null) => void;
}

const ZONE = 'Asia/Ho_Chi_Minh';

function timeLabels(_u: uPlot, splits: number[], _axis: number, _space: number, step: number): string[] {
  let day = '';
  return splits.map((at) => {
    const date = formatDate(at).slice(0, 5);
    if (step >= DAY_MS) return date;
    const isNewDay = date !== day;
    day = date;
    return isNewDay ? `${formatClock(at, step < 60_000)}\n${date}` : formatClock(at, step < 60_000);
  });
}

function axes(look: Look, unit: string): uPlot.Axis[] {
  // uPlot reads the size from the text and knows whole pixels only.
  const font = `${Math.round(0.8 * look.remPx)}px 'Noto Sans'`;
  const shared = {
    stroke: look.ink,
    grid: { stroke: look.grid, width: 1 },
    ticks: { stroke: look.grid, width: 1 },
    font,
    labelFont: font,
    lineGap: 1.4,
  };
  return [
    { ...shared, values: timeLabels, size: 3.2 * look.remPx, space: 6 * look.remPx },
    {
      ...shared,
      label: unit,
      labelSize: 1.6 * look.remPx,
      size: 4 * look.remPx,
      space: 3 * look.remPx,
      values: (_u, splits, _axis, _space, step) => {
        const decimals = Math.max(0, Math.min(4, -Math.floor(Math.log10(step) + 1e-9)));
        return splits.map((v) => formatNumber(v, look.lang, decimals));
      },
    },
  ];
}

/** A uPlot whose data can be replaced while its cursor stays. */
export class Plot {
  private readonly u: uPlot;
  private t: number[] = [];
  private isInside = false;

  constructor(
    target: HTMLElement,
    private shown: Shown,
    frame: Frame,
  ) {
    this.u = new uPlot(this.options(frame), this.data(), target);
  }

  /** Other values of the same lines. */
  update(shown: Shown): void {
    this.shown = shown;
    this.u.setData(this.data());
  }

  /** Move the cursor by a number of points; from the right end when there is none. */
  step(by: number): void {
    if (this.t.length === 0) return;
    const now = this.u.cursor.idx ?? this.t.length - (by < 0 ? 0 : 1);
    const next = Math.max(0, Math.min(this.t.length - 1, now + by));
    const left = this.u.valToPos(this.t[next] as number, 'x');
    this.u.setCursor({ left, top: this.u.over.clientHeight / 2 });
  }

  /** Put the cursor at a time, as it stood on the plot before this one. */
  moveTo(at: number): void {
    this.u.setCursor({ left: this.u.valToPos(at, 'x'), top: this.u.over.clientHeight / 2 });
  }

  destroy(): void {
    this.u.destroy();
  }

  /** A plot that was just made has no cursor: that is no news. */
  private tell(index: number | null | undefined, oncursor: Frame['oncursor']): void {
    const at = index == null ? null : (this.t[index] ?? null);
    if (at === null && !this.isInside) return;
    this.isInside = at !== null;
    oncursor(at);
  }

  private data(): uPlot.AlignedData {
    const { t, columns } = align(this.shown.lines);
    this.t = t;
    return [t, ...columns] as uPlot.AlignedData;
  }

  private options({ look, width, height, syncKey, oncursor }: Frame): uPlot.Options {
    return {
      width,
      height,
      ms: 1,
      tzDate: (at) => uPlot.tzDate(new Date(at), ZONE),
      scales: { x: { range: () => this.shown.range } },
      axes: axes(look, this.shown.lines[0]?.unit ?? ''),
      series: [{}, ...this.shown.lines.map((line, i) => this.series(line, i, look))],
      legend: { show: false },
      cursor: { sync: { key: syncKey }, drag: { x: false, y: false }, points: { size: 0.45 * look.remPx } },
      hooks: {
        setCursor: [(u) => this.tell(u.cursor.idx, oncursor)],
      },
    };
  }

  private series(line: Line, index: number, look: Look): uPlot.Series {
    const color = lineColor(line.colorIndex, look.isDark);
    const scale = Math.max(1, look.remPx / 16);
    return {
      label: line.name,
      stroke: line.isComparison ? `${color}b0` : color,
      width: (line.isComparison ? 1.4 : 1.8) * scale,
      dash: lineDash(line.colorIndex, line.isComparison),
      points: { show: true, size: 6 * scale, filter: () => this.marks(index) },
    };
  }

  /** A doubtful peak is seen to be one, and a lonely value is seen at all. */
  private marks(index: number): number[] {
    const line = this.shown.lines[index];
    const times = line ? marked(line) : new Set();
    if (times.size === 0) return [];
    return this.t.flatMap((at, i) => (times.has(at) ? [i] : []));
  }
}
