/** One word for how a subscription does, from its status and the last delivery. */

import type { SubscriptionState } from '../../api/types';

export type Doing = 'ok' | 'failed' | 'down' | 'idle' | 'paused' | 'expired';

export function doing(of: SubscriptionState): Doing {
  if (of.status !== 'active') return of.status;
  if (of.is_down) return 'down';
  return of.delivery || 'idle';
}

/** What needs somebody first: not delivered, then the ones that work, then the silent ones. */
const ORDER: Doing[] = ['down', 'failed', 'ok', 'idle', 'paused', 'expired'];

export function arranged(all: SubscriptionState[]): SubscriptionState[] {
  return [...all].sort(
    (a, b) =>
      ORDER.indexOf(doing(a)) - ORDER.indexOf(doing(b)) ||
      (a.name || a.id).localeCompare(b.name || b.id),
  );
}

export interface Outgoing {
  all: number;
  /** Active ones whose last delivery failed, or whose receiver is tried rarely. */
  notTold: number;
  /** Notifications that are not delivered yet. */
  waiting: number;
}

export function outgoing(all: SubscriptionState[]): Outgoing {
  const bad: Doing[] = ['down', 'failed'];
  return {
    all: all.length,
    notTold: all.filter((one) => bad.includes(doing(one))).length,
    waiting: all.reduce((sum, one) => sum + one.waiting, 0),
  };
}
