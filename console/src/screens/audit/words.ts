/** Entries of the audit record as people read them. */

import type { AuditEntry } from '../../api/audit';
import { formatTime } from '../../format/time';
import { t, tryText } from '../../i18n/text';
import { people } from '../../state/people.svelte';
import { subjectText } from '../../state/subjects.svelte';

/** What subjects begin with, in the order of the filter. */
export const KINDS = [
  'alarm',
  'suppression',
  'rule',
  'limits',
  'incident',
  'procedure',
  'warning',
  'foreign',
  'notice',
  'person',
  'door',
  'position',
  'duty',
  'handover',
  'roster',
  'shift',
  'absence',
  'source',
  'subscription',
  'registration',
  'entity',
  'snapshot',
  'context',
  'area',
  'program',
  'audit',
] as const;

const TIME = /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/;

export const whoText = (who: string): string => people.nameOf(who);
export const actionText = (action: string): string => tryText(`audit_${action}`, action);

function valueText(name: string, value: string): string {
  if (name === 'subject') return subjectText(value);
  if (name === 'position') return people.titleOf(value);
  if (name === 'positions') return value.split(/[ ,]+/).map((one) => people.titleOf(one)).join(', ');
  if (name === 'subjects') return value.split(' ').map(subjectText).join(', ');
  if (TIME.test(value)) return formatTime(Date.parse(value));
  return value === 'yes' || value === 'no' ? t(`audit_${value}`) : value;
}

/** Names and values, nothing empty. */
export function details(entry: AuditEntry): [string, string][] {
  return Object.entries(entry.detail)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => [tryText(`audit_key_${name}`, name), valueText(name, value)]);
}
