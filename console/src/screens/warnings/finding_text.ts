/** What the checks found, in the person's language; the hub's English words where none is known. */

import type { Finding } from '../../api/warnings';
import { tryText } from '../../i18n/text';
import { settings } from '../../state/settings.svelte';

export interface Said {
  what: string;
  remedy: string;
}

export function findingText(one: Finding): Said {
  const field = one.element.split('.').at(-1)?.replace(/\[\d+\]$/, '') ?? '';
  const general = tryText(`warn_finding_${one.code}`, one.detail);
  const what = tryText(`warn_finding_${one.code}_${field}`, general);
  // The hub's own words name values; they are English.
  return settings.lang === 'en' ? { what: `${what}: ${one.detail}.`, remedy: one.remedy } : { what, remedy: '' };
}
