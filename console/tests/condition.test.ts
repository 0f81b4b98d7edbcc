/** Every kind of condition as the editor makes it; tests/unit/rules/test_editor.py reads the file. */

import { expect, test, vi } from 'vitest';
import type { Condition } from '../src/api/rules';

vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener: () => undefined }));
vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => undefined });
vi.stubGlobal('window', globalThis);
const { learnNames } = await import('../src/i18n/attributes');
const { settings } = await import('../src/state/settings.svelte');
const { attributesOf, emptyRule, FIELDS, firstOf, FLAGS, FUNCTIONS, isComplete, KINDS, partsOf, told, toSend } =
  await import('../src/screens/rules/condition');

const BY_TYPE: Record<string, unknown> = {
  text: 'level',
  number: 2,
  flag: true,
  comparison: '<=',
  function: FUNCTIONS[0],
  relation: 'outside',
  flags: FLAGS,
};
const BY_NAME: Record<string, unknown> = {
  attribute: 'level',
  other: 'flow',
  for_s: 900,
  over_s: 7200,
  per_s: 60,
  low: -1.5,
  high: { table: 'alarm-levels', level: 'III' },
  limit: { table: 'alarm-levels', level: 'II' },
};
const CORNERS = [
  [106.6, 10.9],
  [106.7, 10.9],
  [106.7, 11],
];

/** Every field filled in, the optional ones too. */
function filled(kind: string): Condition {
  const made = firstOf(kind);
  for (const field of FIELDS[kind] ?? []) made[field.name] = BY_NAME[field.name] ?? BY_TYPE[field.type];
  return made;
}

/** Only what must be there. */
function least(kind: string): Condition {
  const made = firstOf(kind);
  for (const field of FIELDS[kind] ?? [])
    if (!field.isOptional && field.type !== 'flag' && !made[field.name] && made[field.name] !== 0)
      made[field.name] = field.type === 'limit' ? 1.5 : BY_NAME[field.name];
  return made;
}

const AREA = { ...filled('geofence'), area: 'vn:25747' };
const { area: _area, ...FENCE } = filled('geofence');
const LEAVES = Object.keys(FIELDS).filter((kind) => kind !== 'geofence');
const COMBINED = firstOf('at_least', firstOf('all_of', least('threshold')));

const MADE: Condition[] = [
  ...LEAVES.flatMap((kind) => [least(kind), filled(kind)]),
  AREA,
  { ...FENCE, polygon: CORNERS },
  firstOf('all_of', filled('rate')),
  { ...firstOf('any_of', filled('window')), of: [filled('window'), least('no_data')] },
  { ...COMBINED, count: 2, of: [...partsOf(COMBINED), filled('quality')] },
  firstOf('not', filled('compare')),
];

test('each kind is empty at first and complete when its fields are filled in', () => {
  expect(new Set(MADE.map((one) => one.kind))).toEqual(new Set(KINDS));
  for (const kind of KINDS) expect(isComplete(firstOf(kind)), kind).toBe(false);
  for (const one of MADE) expect(isComplete(one), JSON.stringify(one)).toBe(true);
});

test('another kind keeps what it can use, a combination keeps the condition', () => {
  const before = { ...filled('threshold'), deadband: 3 };
  expect(firstOf('range', before)).toMatchObject({ kind: 'range', attribute: 'level', deadband: 3 });
  expect(firstOf('not', before).of).toEqual(before);
  expect(firstOf('all_of', firstOf('not', before)).of).toEqual([before]);
  expect(attributesOf(firstOf('any_of', before))).toEqual(['level']);
});

test('what is sent is what the server is tested to read', async () => {
  const filledIn = {
    ...emptyRule(),
    name: { vi: 'Nước cao' },
    scope: { types: ['WaterObserved'] },
    consequence: { vi: 'Ngập đường' },
    response: { vi: 'Báo đội trực' },
  };
  const rules = MADE.map((condition, n) => toSend({ ...filledIn, id: `made-${n}`, condition }));
  const text = `${JSON.stringify(rules, null, 1)}\n`;
  await expect(text).toMatchFileSnapshot('../../tests/data/rules_of_the_editor.json');
});

test('a limit of the rule itself is told with the unit of its attribute', () => {
  settings.lang = 'vi';
  learnNames([{ id: 'level', title: { vi: '', en: '' }, types: [], attribute: 'level', domain: 'water', unit: 'MTR' }]);
  const of = (more: Record<string, unknown>) => told({ kind: 'threshold', attribute: 'level', ...more } as Condition, 'vi', []);
  expect(of({ comparison: '>=', limit: -1.5 })).toBe('Mực nước ≥ −1,5 m');
  expect(of({ kind: 'rate', over_s: 7200, comparison: '>', limit: 0.3 })).toMatch(/> 0,3 m\/giờ$/);
  expect(of({ kind: 'window', function: 'count', over_s: 7200, comparison: '>', limit: 3 })).toMatch(/> 3$/);
  expect(of({ comparison: '>=', limit: { table: 'levels', level: 'II' } })).toBe('Mực nước ≥ levels: II');
  learnNames([]);
});
