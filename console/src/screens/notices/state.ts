/** Words and marks for how notices, deliveries and channels do. */

import type { ChannelHealth, NoticeItem } from '../../api/notices';
import { t, tryText, type TextKey } from '../../i18n/text';
import type { IconName } from '../../parts/Icon.svelte';

export type Doing =
  | 'new'
  | 'told'
  | 'waits'
  | 'escalated'
  | 'nobody'
  | 'answered'
  | 'unanswered';

/** One word: a told notice that still wants an answer says so. */
export function doing(of: NoticeItem): Doing {
  if (of.state !== 'told' || of.next_at === null) return of.state;
  return of.told.length > 1 ? 'escalated' : 'waits';
}

const ICONS: Record<string, IconName> = {
  answered: 'check',
  accepted: 'check',
  delivered: 'check',
  ok: 'check',
  unanswered: 'warning',
  nobody: 'warning',
  escalated: 'warning',
  failed: 'warning',
  down: 'warning',
  failing: 'warning',
};

export function iconOf(state: string): IconName {
  return ICONS[state] ?? 'minus';
}

export function channelDoing(of: ChannelHealth): 'ok' | 'down' | 'failing' | 'idle' {
  if (of.is_down) return 'down';
  if (of.last_success_at === null) return of.last_failure_at === null ? 'idle' : 'failing';
  if (of.last_failure_at === null) return 'ok';
  return of.last_failure_at > of.last_success_at ? 'failing' : 'ok';
}

export function channelName(channel: string): string {
  return tryText(`notices_channel_${channel}`, channel);
}

const GROUPS = ['alarm', 'shelf', 'incident', 'task', 'step', 'warning'];

/** Kinds as a person chooses them: `alarm.*` rather than each single one. */
export function kindGroups(known: string[]): { pattern: string; label: string }[] {
  const groups = [...new Set(known.map((kind) => kind.split('.')[0] ?? kind))];
  return groups
    .filter((group) => group !== 'test')
    .sort((a, b) => GROUPS.indexOf(a) - GROUPS.indexOf(b))
    .map((group) => ({ pattern: `${group}.*`, label: tryText(`notices_kind_${group}`, group) }));
}

export const stateText = (state: string): string => t(`notices_state_${state}` as TextKey);
