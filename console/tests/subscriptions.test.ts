import { expect, it } from 'vitest';
import type { SubscriptionState } from '../src/api/types';
import { arranged, doing, outgoing } from '../src/screens/subscriptions/state';

function one(id: string, of: Partial<SubscriptionState> = {}): SubscriptionState {
  return {
    id,
    name: '',
    about: '',
    endpoint: 'https://example.org/notify',
    status: 'active',
    delivery: 'ok',
    created_at: '2026-01-01T00:00:00Z',
    waiting: 0,
    is_down: false,
    times_sent: 0,
    times_failed: 0,
    last_notification_at: null,
    last_success_at: null,
    last_failure_at: null,
    last_error: '',
    ...of,
  };
}

const ALL = [
  one('paused', { status: 'paused', delivery: 'failed', is_down: true, waiting: 1 }),
  one('idle', { delivery: '' }),
  one('ok'),
  one('failed', { delivery: 'failed', waiting: 2 }),
  one('down', { delivery: 'failed', is_down: true, waiting: 40 }),
];

it('puts first what needs somebody', () => {
  expect(arranged(ALL).map(doing)).toEqual(['down', 'failed', 'ok', 'idle', 'paused']);
});

it('sums up what leaves the house; a paused one bothers nobody', () => {
  expect(outgoing(ALL)).toEqual({ all: 5, notTold: 2, waiting: 43 });
  expect(outgoing([])).toEqual({ all: 0, notTold: 0, waiting: 0 });
});
