/** Entries of the timeline in a line, limits and sizes as people write them. */

import type { Entry, PlacePoint, Severity } from '../../api/incidents';
import { formatNumber, type Lang } from '../../format/number';
import { formatClock, formatDate, formatDuration, ZONE_OFFSET_MS } from '../../format/time';
import { spoken, t, tryText, type TextKey } from '../../i18n/text';
import { people } from '../../state/people.svelte';
import { subjectText } from '../../state/subjects.svelte';

const PEOPLE_KINDS = ['note', 'decision', 'message', 'cost', 'lesson', 'correction', 'evidence'];

export function isByHand(entry: Entry): boolean {
  return PEOPLE_KINDS.includes(entry.kind);
}

/** What happened; what the person wrote stands below it. */
export function headOf(entry: Entry, lang: Lang): string {
  const d = entry.details;
  const text = (name: string) => String(d[name] ?? '');
  switch (entry.kind) {
    case 'state':
      return 'from' in d
        ? t('inc_tell_state', { from: t(stateKey(d['from'])), to: t(stateKey(d['to'])) })
        : t('inc_tell_opened', { severity: t(severityKey(d['severity'])) });
    case 'change':
      return changeHead(d);
    case 'step':
      return stepHead(entry, lang);
    case 'task':
      return t(`inc_tell_task_${text('state')}` as TextKey, {
        title: text('title'),
        owner: people.nameOf(text('owner')) || t('inc_nobody'),
      });
    case 'link':
      return t('is_removed' in d ? 'inc_tell_unlink' : 'inc_tell_link', { subject: subjectText(text('subject')) });
    case 'cost':
      return t('inc_tell_cost', {
        amount: formatNumber(Number(d['amount']), lang, Number.isInteger(d['amount']) ? 0 : 2),
        currency: text('currency'),
      });
    case 'message':
      return t('inc_tell_message', { to: text('to') });
    case 'evidence':
      return t('inc_tell_evidence', { name: text('name') });
    case 'warning':
      return t(`inc_tell_warning_${text('event')}` as TextKey, {
        kind: t(`inc_public_${text('msg_type')}` as TextKey),
      });
    case 'correction':
      return t('inc_corrects', { n: entry.refers_to ?? '' });
    case 'note':
      return '';
    default:
      return tryText(`inc_kind_${entry.kind}`, entry.kind);
  }
}

/** What the person wrote, as far as the head does not say it already. */
export function bodyOf(entry: Entry): string {
  const said = [entry.details['title'], entry.details['name']];
  const title = spoken(entry.text, String(entry.details['title_en'] ?? ''));
  if (entry.kind === 'warning') return [title, entry.details['reason']].filter(Boolean).join(' · ');
  if (entry.kind === 'step') return String(entry.details['reason'] ?? '');
  if (entry.kind === 'state' && !('from' in entry.details)) return title;
  // Of a link that was taken away the text is the reason.
  if (entry.kind === 'link' && !('is_removed' in entry.details)) return title;
  return said.includes(entry.text) && entry.kind !== 'link' ? '' : entry.text;
}

function stateKey(state: unknown): TextKey {
  return `inc_state_${String(state)}` as TextKey;
}

function severityKey(severity: unknown): TextKey {
  return `inc_severity_${Number(severity) as Severity}`;
}

function changeHead(d: Record<string, unknown>): string {
  const what = String(d['what']);
  const to = String(d['to'] ?? '');
  if (what === 'severity')
    return t('inc_tell_severity', { from: t(severityKey(d['from'])), to: t(severityKey(d['to'])) });
  if (what === 'commander') return t('inc_tell_commander', { to: people.nameOf(to) || t('inc_nobody') });
  return t(`inc_tell_${what}` as TextKey, { to });
}

function stepHead(entry: Entry, lang: Lang): string {
  const d = entry.details;
  const event = String(d['event']);
  const title = lang === 'vi' ? entry.text : String(d['title_en'] ?? entry.text);
  if (event === 'started' || event === 'done' || event === 'ended')
    return t(`inc_tell_${event}`, { title });
  const to = Array.isArray(d['to']) ? d['to'].map((p) => people.titleOf(String(p))).join(', ') : '';
  const isLate = event === 'finished' && d['is_late'] === true;
  return t((isLate ? 'inc_tell_step_late' : `inc_tell_step_${event}`) as TextKey, { title, to: to || '–' });
}

/** A limit that ends with its day ends at 24:00 of that day. */
export function dueText(ms: number): string {
  const isMidnight = (ms + ZONE_OFFSET_MS) % 86_400_000 === 0;
  return isMidnight ? `24:00 ${formatDate(ms - 1000)}` : `${formatClock(ms, false)} ${formatDate(ms)}`;
}

const LIMITS: Record<string, Record<Lang, string>> = {
  elapsed: { vi: '{n}', en: '{n}' },
  working_time: { vi: '{n} làm việc', en: '{n} of office hours' },
  days: { vi: '{n} ngày', en: '{n} days' },
  working_days: { vi: '{n} ngày làm việc', en: '{n} working days' },
};

export function limitText(limit: { kind: string; amount: number }, lang: Lang): string {
  const isDays = limit.kind.endsWith('days');
  const n = isDays ? formatNumber(limit.amount, lang) : formatDuration(limit.amount * 1000, lang);
  return (LIMITS[limit.kind]?.[lang] ?? '{n}').replace('{n}', n);
}

const UNITS: Record<string, string> = { MTR: 'm', CMT: 'cm', MMT: 'mm', KMT: 'km', CEL: '°C', C62: '' };

export function unitText(code: string): string {
  return UNITS[code] ?? code;
}

/** `10.98, 106.65`: latitude and longitude; null: neither. */
export function parsePlaceText(text: string): PlacePoint | null {
  const found = /^\s*(-?\d+(?:\.\d+)?)\s*[,; ]\s*(-?\d+(?:\.\d+)?)\s*$/.exec(text);
  if (!found) return null;
  const [lat, lon] = [Number(found[1]), Number(found[2])];
  return Math.abs(lat) <= 90 && Math.abs(lon) <= 180 ? { lat, lon, label: '' } : null;
}

/** Both languages in one text, `vi / en`: the half that is read. */
export function halfOf(text: string, lang: Lang): string {
  const [vi, en] = text.split(' / ');
  return (lang === 'vi' ? vi : en) ?? text;
}
