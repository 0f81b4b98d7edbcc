/** Suppressions in words: what each keeps back, and since when. */

import type { Suppression } from '../../api/alarms';
import { formatTime } from '../../format/time';
import { t } from '../../i18n/text';

export type NameOf = (id: string) => string;

/** In which order they stand: what holds now, what comes next, what is over. */
const ORDER: Suppression['state'][] = ['in_force', 'planned', 'ended'];

export function arranged(found: Suppression[]): Suppression[] {
  return [...found].sort((a, b) => {
    const first = ORDER.indexOf(a.state) - ORDER.indexOf(b.state);
    if (first) return first;
    // The next to begin, or the one set last, stands first.
    return a.state === 'planned' ? Date.parse(a.from_at) - Date.parse(b.from_at) : b.id - a.id;
  });
}

export function whatText(one: Suppression, ruleName: NameOf, entityName: NameOf, areaName: NameOf): string {
  const parts = [
    one.rule && ruleName(one.rule),
    one.entity && entityName(one.entity),
    one.area && areaName(one.area),
    one.least_urgent === null ? '' : t('supp_least_n', { n: one.least_urgent }),
    one.parent && t('supp_while_parent', { rule: ruleName(one.parent) }),
  ];
  return parts.filter(Boolean).join(' · ');
}

export function untilText(one: Suppression): string {
  if (one.state === 'ended') {
    const at = formatTime(Date.parse(one.ended_at ?? one.until_at ?? one.from_at));
    return one.ended_by ? t('supp_ended_by', { by: one.ended_by, at }) : t('supp_ended_itself', { at });
  }
  return one.until_at ? formatTime(Date.parse(one.until_at)) : t('supp_no_end');
}

export function stateText(one: Suppression): string {
  return t(one.state === 'ended' ? 'supp_is_ended' : `supp_${one.state}`);
}
