import { expect, test, vi } from 'vitest';
import type { Suppression } from '../src/api/alarms';
import { bodyOf, isReady, type Draft } from '../src/screens/suppressions/draft';

vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener: () => undefined }));
vi.stubGlobal('localStorage', { getItem: () => '{"lang": "vi"}', setItem: () => undefined });
const { arranged, untilText, whatText } = await import('../src/screens/suppressions/telling');

const EMPTY: Draft = {
  cause: 'maintenance',
  rule: '',
  entity: '',
  area: [],
  parent: '',
  leastUrgent: 3,
  permit: '',
  from: '',
  until: '',
  reason: '',
};

const ONE: Suppression = {
  id: 1,
  cause: 'maintenance',
  by: 'lan',
  reason: 'works',
  from_at: '2026-12-01T00:00:00Z',
  until_at: '2026-12-01T02:00:00Z',
  rule: '',
  entity: 'urn:e',
  area: '',
  parent: '',
  least_urgent: null,
  permit: '',
  ended_at: null,
  ended_by: '',
  state: 'in_force',
  alarms: 0,
};

test('each cause wants what it cannot do without', () => {
  const named = { ...EMPTY, entity: 'urn:e', reason: 'sửa' };
  expect(isReady(named)).toBe(false);
  expect(isReady({ ...named, until: '2026-12-01T09:00' })).toBe(true);
  expect(isReady({ ...named, entity: '', until: '2026-12-01T09:00' })).toBe(false);
  expect(isReady({ ...named, cause: 'permit' })).toBe(false);
  expect(isReady({ ...named, cause: 'permit', permit: 'GP-1' })).toBe(true);
  expect(isReady({ ...named, cause: 'parent', rule: 'a' })).toBe(false);
  expect(isReady({ ...named, cause: 'parent', parent: 'b' })).toBe(true);
  expect(isReady({ ...EMPTY, cause: 'flood', until: '2026-12-01T09:00', reason: 'bão' })).toBe(true);
  expect(isReady({ ...named, cause: 'permit', permit: 'GP-1', reason: ' ' })).toBe(false);
});

test('only what the cause knows is sent, with times of Vietnam', () => {
  const body = bodyOf({ ...EMPTY, permit: 'GP-1', area: ['ward:1'], until: '2026-12-01T09:00', reason: ' sửa ' });
  expect(body).toEqual({
    cause: 'maintenance',
    reason: 'sửa',
    from_at: undefined,
    until_at: '2026-12-01T02:00:00.000Z',
    rule: '',
    entity: '',
    area: 'ward:1',
  });
  expect(bodyOf({ ...EMPTY, cause: 'flood', leastUrgent: 2 })['least_urgent']).toBe(2);
});

test('what holds now stands first, then what comes next', () => {
  const rows = [
    { ...ONE, id: 1, state: 'ended' as const },
    { ...ONE, id: 2, state: 'planned' as const, from_at: '2026-12-03T00:00:00Z' },
    { ...ONE, id: 3, state: 'planned' as const, from_at: '2026-12-02T00:00:00Z' },
    { ...ONE, id: 4 },
  ];
  expect(arranged(rows).map((one) => one.id)).toEqual([4, 3, 2, 1]);
});

test('a suppression says what it keeps back and until when', () => {
  const name = (id: string) => `<${id}>`;
  const parent = { ...ONE, rule: 'level', parent: 'silent' };
  expect(whatText(parent, name, name, name)).toBe('<level> · <urn:e> · khi có cảnh báo gốc: <silent>');
  expect(untilText({ ...ONE, until_at: null })).toBe('đến khi có người kết thúc');
  const ended = { ...ONE, state: 'ended' as const, ended_at: '2026-12-01T01:00:00Z', ended_by: 'minh' };
  expect(untilText(ended)).toBe('minh kết thúc lúc 08:00:00 01/12/2026');
  expect(untilText({ ...ended, ended_by: '' })).toBe('hết giờ lúc 08:00:00 01/12/2026');
});
