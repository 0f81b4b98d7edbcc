/** Days and times as people type them into a field, whatever language the browser speaks. The form is
 * that of everything shown, dd/mm/yyyy HH:MM in the time of the province; ISO 8601 is taken too.
 * Values are `2026-11-28` and `2026-11-28T17:30`, see fromLocalInput. Pure. */

import { toLocalInput } from './time';

export type Kind = 'day' | 'time';

/** As a field shows what it wants. */
export const FORMS: Record<Kind, string> = { day: 'dd/mm/yyyy', time: 'dd/mm/yyyy HH:MM' };

const two = (n: number) => String(n).padStart(2, '0');
const DATE = String.raw`(\d{1,2})[/.-](\d{1,2})(?:[/.-](\d{4}))?`;
const CLOCK = String.raw`([01]?\d|2[0-3])(?::|h|g)([0-5]\d)(?::\d\d)?`;
const DAY_FIRST = new RegExp(`^${DATE}(?:[ ,]+${CLOCK})?$`);
const CLOCK_FIRST = new RegExp(`^${CLOCK}(?:[ ,]+${DATE})?$`);
const ISO = new RegExp(String.raw`^(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]${CLOCK})?$`);

/** `2026-11-28T17:30` -> `28/11/2026 17:30`; what is no value stays as it is. */
export function shownMoment(value: string): string {
  const found = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d:\d\d))?/.exec(value);
  if (!found) return value;
  const day = `${found[3]}/${found[2]}/${found[1]}`;
  return found[4] ? `${day} ${found[4]}` : day;
}

function made(kind: Kind, year: number, month: number, day: number, hour = 0, minute = 0): string | null {
  const at = new Date(Date.UTC(year, month - 1, day, hour, minute));
  if (at.getUTCMonth() !== month - 1 || at.getUTCDate() !== day || year < 1900) return null;
  const date = `${year}-${two(month)}-${two(day)}`;
  return kind === 'day' ? date : `${date}T${two(hour)}:${two(minute)}`;
}

/** What somebody typed -> a value; '' of nothing; null: it is no day or time. A time alone is one of
 * today, a date without a year one of this year, a date alone its first minute. */
export function readMoment(typed: string, kind: Kind, nowMs: number): string | null {
  const text = typed.trim();
  if (text === '') return '';
  const today = toLocalInput(nowMs);
  const [year, month, day] = today.slice(0, 10).split('-').map(Number) as [number, number, number];
  const number = (part: string | undefined) => (part === undefined ? undefined : Number(part));
  const iso = ISO.exec(text);
  if (iso) return made(kind, Number(iso[1]), Number(iso[2]), Number(iso[3]), number(iso[4]), number(iso[5]));
  const dated = DAY_FIRST.exec(text);
  if (dated) {
    const [, d, m, y, hour, minute] = dated;
    return made(kind, number(y) ?? year, Number(m), Number(d), number(hour), number(minute));
  }
  const clocked = kind === 'time' ? CLOCK_FIRST.exec(text) : null;
  if (!clocked) return null;
  const [, hour, minute, d, m, y] = clocked;
  return made(kind, number(y) ?? year, number(m) ?? month, number(d) ?? day, Number(hour), Number(minute));
}

/** The weeks that show a month, Monday first, as values of days. `month`: `2026-11`. */
export function weeksOf(month: string): string[][] {
  const first = new Date(`${month}-01T00:00:00Z`);
  const start = first.getTime() - ((first.getUTCDay() + 6) % 7) * 86_400_000;
  const days = Array.from({ length: 42 }, (_, i) => new Date(start + i * 86_400_000).toISOString().slice(0, 10));
  const weeks = Array.from({ length: 6 }, (_, i) => days.slice(i * 7, i * 7 + 7));
  return weeks.filter((week) => week.some((day) => day.startsWith(month)));
}

/** So many days or months later; the last day of a month stays within it. */
export function movedDay(day: string, days: number, months = 0): string {
  const at = new Date(`${day}T00:00:00Z`);
  const wanted = at.getUTCDate();
  at.setUTCDate(1);
  at.setUTCMonth(at.getUTCMonth() + months);
  const last = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 0)).getUTCDate();
  at.setUTCDate(Math.min(wanted, last) + days);
  return at.toISOString().slice(0, 10);
}
