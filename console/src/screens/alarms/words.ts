/** An alarm in words of the person's language. */

import type { AlarmView } from '../../api/alarms';
import { t } from '../../i18n/text';
import { settings } from '../../state/settings.svelte';

export function titleOf(of: { title: string; title_en: string }): string {
  return settings.lang === 'vi' ? of.title : of.title_en;
}

/** The text of a rule in the person's language. */
export function inLanguage(vi: string, en: string): string {
  return settings.lang === 'vi' ? vi : en;
}

export function stateText(of: AlarmView): string {
  const kept = of.suppressed.map((kind) => t(`suppressed_${kind}`));
  return [t(`state_${of.state}`), ...kept].join(', ');
}

export function placeText(of: AlarmView): string {
  return of.place || of.entity.split(':').at(-1) || of.entity;
}
