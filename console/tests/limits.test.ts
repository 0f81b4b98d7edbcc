import { expect, test, vi } from 'vitest';
import type { DatedValue, LimitTable, RuleState } from '../src/api/rules';

vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener: () => undefined }));
vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => undefined });
vi.stubGlobal('window', globalThis);
const { limitState, shownLimits } = await import('../src/screens/rules/limits');
const { told } = await import('../src/screens/rules/condition');

const VALUE: DatedValue = {
  level: 'II',
  entity: '',
  value: 1.5,
  valid_from: '2020-01-01',
  valid_to: '2026-01-01',
  source: 'QĐ 05/2020',
  mark: 'verified',
  added_by: '',
  added_at: null,
  ended_by: '',
  ended_at: null,
  end_reason: '',
  verified_by: '',
  verified_at: null,
};
const TABLE: LimitTable = {
  name: 'levels',
  title: { vi: 'Cấp báo động' },
  unit: 'MTR',
  values: [VALUE, { ...VALUE, value: 1.6, valid_from: '2026-01-01', valid_to: null }],
};
const limit = { table: 'levels', level: 'II' };
const rule = (id: string, condition: unknown) => ({ id, approved: null, newest: { condition } }) as unknown as RuleState;
const RULES = [
  rule('above', { kind: 'not', of: { kind: 'threshold', attribute: 'level', limit } }),
  rule('other', { kind: 'range', attribute: 'level', low: 1, high: { table: 'levels', level: 'III' } }),
];
const EVERYTHING = { day: '2026-06-01', attribute: '', isEvery: false, fits: () => true };

test('a rule names a dated limit by its level and the title of its table', () => {
  const condition = { kind: 'threshold', attribute: 'level', comparison: '>=', limit };
  expect(told(condition, 'vi', [TABLE])).toContain('≥ Cấp báo động: II');
  expect(told(condition, 'vi', [])).toContain('≥ levels: II');
});

test('a limit is valid from its first day until before its last', () => {
  const days = ['2019-12-31', '2020-01-01', '2025-12-31', '2026-01-01'];
  expect(days.map((day) => limitState(VALUE, day))).toEqual(['future', 'valid', 'valid', 'over']);
  expect(limitState({ ...VALUE, valid_to: VALUE.valid_from }, '2020-01-01')).toBe('void');
});

test('the day, the attribute and the words choose what is shown, with the rules that use it', () => {
  const numbers = (filter: object) =>
    shownLimits([TABLE], RULES, { ...EVERYTHING, ...filter }).flatMap((one) =>
      one.values.map(({ value }) => value.value),
    );
  expect(numbers({})).toEqual([1.6]);
  expect(numbers({ day: '2021-01-01' })).toEqual([1.5]);
  expect(numbers({ isEvery: true })).toEqual([1.5, 1.6]);
  expect(numbers({ attribute: 'pm25' })).toEqual([]);
  expect(numbers({ attribute: 'level' })).toEqual([1.6]);
  expect(numbers({ fits: (text: string) => text.includes('QCVN') })).toEqual([]);
  expect(shownLimits([TABLE], RULES, EVERYTHING)[0]?.values[0]?.rules).toEqual(['above']);
});

test('a new table without values is shown, one that a filter empties is not', () => {
  expect(shownLimits([{ ...TABLE, values: [] }], [], EVERYTHING)).toHaveLength(1);
  expect(shownLimits([TABLE], [], { ...EVERYTHING, day: '2001-01-01' })).toHaveLength(0);
});
