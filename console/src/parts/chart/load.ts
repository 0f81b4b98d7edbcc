/** Fetching series for a chart: raw or folded, now or a week ago. */

import { api } from '../../api/client';
import { unitDecimals, unitSymbol } from '../../format/unit';
import { withGaps, type Line } from './lines';
import { periodMs, WEEK_MS, type Period } from './range';

export interface Wanted {
  key: string;
  name: string;
  unit: string | null;
}

export interface Question {
  wanted: Wanted[];
  startMs: number;
  endMs: number;
  period: Period;
  fn: string;
  isComparing: boolean;
}

export const ZONE = 'Asia/Ho_Chi_Minh';
/** Values in all of one answer; the hub says when there were more. */
const LIMIT = 100_000;

interface Raw {
  key: string;
  unit: string | null;
  t: number[];
  v: (number | null)[];
  q: number[];
}

const keyOf = (s: { entity: string; attribute: string; dataset: string }) =>
  s.dataset ? `${s.entity}|${s.attribute}|${s.dataset}` : `${s.entity}|${s.attribute}`;

const numbers = (values: unknown[]) => values.map((x) => (typeof x === 'number' ? x : null));

async function ask(
  question: Question,
  shiftMs: number,
  signal: AbortSignal,
): Promise<{ series: Raw[]; truncated: boolean }> {
  const query = {
    key: question.wanted.map((w) => w.key),
    start: new Date(question.startMs - shiftMs).toISOString(),
    end: new Date(question.endMs - shiftMs).toISOString(),
  };
  if (question.period === 'raw') {
    const answer = await api.series({ ...query, limit: LIMIT }, signal);
    const series = answer.series.map((s) => ({ ...s, key: keyOf(s), v: numbers(s.v) }));
    return { series, truncated: answer.truncated };
  }
  const { fn, period } = question;
  const answer = await api.aggregate({ ...query, fn, period, zone: ZONE }, signal);
  const series = answer.series.map((s) => ({
    key: keyOf(s),
    unit: null,
    t: s.start,
    v: numbers((s[fn] ?? []) as unknown[]),
    q: [],
  }));
  return { series, truncated: false };
}

function lineOf(question: Question, raw: Raw, shiftMs: number): Line[] {
  const index = question.wanted.findIndex((w) => w.key === raw.key);
  const wanted = question.wanted[index];
  if (!wanted) return [];
  const unit = question.fn === 'count' && question.period !== 'raw' ? null : (wanted.unit ?? raw.unit);
  const line: Line = {
    key: shiftMs ? `${raw.key}@week` : raw.key,
    name: wanted.name,
    unit: unitSymbol(unit),
    decimals: unitDecimals(unit),
    colorIndex: index,
    isComparison: shiftMs > 0,
    t: shiftMs ? raw.t.map((at) => at + shiftMs) : raw.t,
    v: raw.v,
    q: raw.q,
  };
  return [withGaps(line, periodMs(question.period))];
}

/** Lines in the order they were wanted, those of last week after them. */
export async function loadLines(
  question: Question,
  signal: AbortSignal,
): Promise<{ lines: Line[]; isCut: boolean }> {
  if (question.wanted.length === 0) return { lines: [], isCut: false };
  const shifts = question.isComparing ? [0, WEEK_MS] : [0];
  const answers = await Promise.all(shifts.map((shift) => ask(question, shift, signal)));
  const lines = answers.flatMap((answer, i) =>
    answer.series.flatMap((raw) => lineOf(question, raw, shifts[i] as number)),
  );
  lines.sort((a, b) => Number(a.isComparison) - Number(b.isComparison) || a.colorIndex - b.colorIndex);
  return { lines, isCut: answers.some((answer) => answer.truncated) };
}
