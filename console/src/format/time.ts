/** Times as the clocks of Việt Nam show them: Asia/Ho_Chi_Minh, 24 h, dd/MM/yyyy. */

import { formatCount, formatNumber, type Lang } from './number';

const ZONE = 'Asia/Ho_Chi_Minh';
/** Việt Nam has no summer time: UTC+7 since 1975. */
export const ZONE_OFFSET_MS = 7 * 3_600_000;

const parts = new Intl.DateTimeFormat('en-GB', {
  timeZone: ZONE,
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});

function pieces(ms: number): Record<string, string> {
  return Object.fromEntries(parts.formatToParts(ms).map((p) => [p.type, p.value]));
}

export function formatDate(ms: number): string {
  const p = pieces(ms);
  return `${p['day']}/${p['month']}/${p['year']}`;
}

/** A date without a time, as a source gives it: 2026-01-31 -> 31/01/2026. */
export function formatDay(iso: string): string {
  return iso.replace(/^(\d{4})-(\d\d)-(\d\d)$/, '$3/$2/$1');
}

export function formatClock(ms: number, withSeconds = true): string {
  const p = pieces(ms);
  const short = `${p['hour']}:${p['minute']}`;
  return withSeconds ? `${short}:${p['second']}` : short;
}

export function formatTime(ms: number): string {
  return `${formatClock(ms)} ${formatDate(ms)}`;
}

/** The time alone on the same day, otherwise with the date. */
export function formatNear(ms: number, nowMs: number): string {
  return formatDate(ms) === formatDate(nowMs) ? formatClock(ms) : formatTime(ms);
}

const UNITS: Record<Lang, [string, string, string, string]> = {
  vi: ['giây', 'phút', 'giờ', 'ngày'],
  en: ['s', 'min', 'h', 'd'],
};

/** A length of time in its largest sensible unit: "45 giây", "12 phút", "3 giờ", "5 ngày". */
export function formatDuration(ms: number, lang: Lang): string {
  const s = Math.max(0, Math.round(ms / 1000));
  const [second, minute, hour, day] = UNITS[lang];
  if (s < 120) return `${s} ${second}`;
  if (s < 7200) return `${Math.floor(s / 60)} ${minute}`;
  if (s < 172_800) return `${Math.floor(s / 3600)} ${hour}`;
  return `${formatCount(Math.floor(s / 86_400), lang)} ${day}`;
}

/** Hours, minutes and seconds of a running clock: "1:05:09". */
export function formatSpan(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  const two = (n: number) => String(n).padStart(2, '0');
  return `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
}

/** A delay, exact below ten seconds: "85 ms", "1,2 giây". */
export function formatDelay(ms: number, lang: Lang): string {
  if (ms < 1000) return `${formatCount(ms, lang)} ms`;
  if (ms < 10_000) return `${formatNumber(ms / 1000, lang, 1)} ${UNITS[lang][0]}`;
  return formatDuration(ms, lang);
}

/** Value of a field of a day and time (format/moment_input.ts) in Việt Nam's time. */
export function toLocalInput(ms: number): string {
  return new Date(ms + ZONE_OFFSET_MS).toISOString().slice(0, 16);
}

export function fromLocalInput(text: string): number | null {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text)) return null;
  const ms = Date.parse(`${text.slice(0, 16)}:00Z`);
  return Number.isNaN(ms) ? null : ms - ZONE_OFFSET_MS;
}
