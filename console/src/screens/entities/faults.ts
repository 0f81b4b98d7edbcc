/** What is wrong with a filter, and where: read from what the hub says of it. */

import { FAULTS_VI } from '../../i18n/faults.vi';
import { t, type TextKey } from '../../i18n/text';
import { settings } from '../../state/settings.svelte';

/** The parameters that have a field of their own. */
const FIELDS: Record<string, TextKey> = {
  q: 'entities_q',
  scopeQ: 'entities_scope',
  idPattern: 'entities_id_pattern',
  id: 'entity_id',
};
const FAULT = /^parameter (\w+): (.*?)(?: at character (\d+), before (['"])(.*)\4| at the end)$/s;
const PLAIN = /^parameter (\w+): (.*)$/s;
const NO_PATTERN = /^parameter (\w+) is no regular expression: (.*)$/s;

interface Fault {
  parameter: string;
  what: string;
  /** Characters before it; null: all. */
  before: number | null;
  /** The text that begins there. */
  near: string;
}

function read(detail: string): Fault | null {
  const found = FAULT.exec(detail);
  if (!found) return null;
  const [, parameter = '', what = '', place, , near = ''] = found;
  return { parameter, what, before: place === undefined ? null : Number(place) - 1, near };
}

function spoken(what: string): string {
  if (settings.lang !== 'vi') return what;
  for (const [pattern, words] of FAULTS_VI) {
    if (pattern.test(what)) return what.replace(pattern, words);
  }
  return what;
}

/** The fault in the reader's language; the hub's own words where they are not understood. */
export function faultText(detail: string): string {
  const pattern = NO_PATTERN.exec(detail);
  const of = pattern && FIELDS[pattern[1] ?? ''];
  if (pattern && of) return t('entities_fault_pattern', { field: t(of), what: pattern[2] ?? '' });
  const plain = PLAIN.exec(detail);
  const fault = read(detail);
  const field = FIELDS[(fault?.parameter ?? plain?.[1]) ?? ''];
  if (!fault && plain && field) return `${t(field)}: ${spoken(plain[2] ?? '')}`;
  if (!fault || !field) return t('entities_refused', { detail });
  const said = { field: t(field), what: spoken(fault.what) };
  if (fault.before === null) return t('entities_fault_end', said);
  return t('entities_fault', { ...said, place: fault.before + 1, near: fault.near });
}

/** The parameter that is at fault; q where nothing tells. */
export function faultField(detail: string): string {
  if (detail === '') return '';
  const named = /^parameter (\w+)/.exec(detail)?.[1] ?? '';
  return named in FIELDS ? named : 'q';
}

/** Where the fault of q begins in the text that was typed; null: it is of another field. */
export function faultPlace(detail: string, q: string): number | null {
  const fault = read(detail);
  if (fault?.parameter !== 'q') return null;
  if (fault.before === null) return q.length;
  // The hub counts whole characters, the browser halves of some.
  return [...q].slice(0, fault.before).join('').length;
}
