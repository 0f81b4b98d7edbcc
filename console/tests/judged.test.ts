import { expect, test, vi } from 'vitest';

vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener: () => undefined }));
vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => undefined });
const { settings } = await import('../src/state/settings.svelte');
const { judgedLines, unitOf } = await import('../src/screens/alarm/judged');
const { figureText, limitText, markText, termsOf, termText } = await import('../src/screens/rules/terms');

const HOUR_MS = 3_600_000;
const AT_MS = Date.parse('2026-11-22T03:00:00Z');
const EXPLANATION = {
  decided_at: '2026-11-22T03:00:00Z',
  terms: [
    { attribute: 'pm10', figure: 'mean', comparison: '>', limit: 45, value: 103.7, window_s: 86_400, unit: 'GQ', verdict: true },
    { attribute: 'pm10', figure: 'rate', comparison: '>', limit: 5, value: 9, parameters: [3600], unit: 'GQ', verdict: true },
  ],
};
const LINE = {
  key: 'urn:x|pm10', name: 'PM10', unit: 'µg/m³', decimals: 1, colorIndex: 0, isComparison: false,
  t: [AT_MS - HOUR_MS, AT_MS], v: [150, 230], q: [],
};
const RANGE: [number, number] = [AT_MS - 30 * HOUR_MS, AT_MS + HOUR_MS];

test('the limit spans the chart and the figure of the window spans its window', () => {
  const drawn = judgedLines(termsOf(EXPLANATION), [LINE], RANGE).map(({ kind, line }) => [kind, line.t, line.v, line.unit]);
  expect(drawn).toEqual([
    ['limit', RANGE, [45, 45], 'µg/m³'],
    ['figure', [AT_MS - 24 * HOUR_MS, AT_MS], [103.7, 103.7], 'µg/m³'],
  ]);
});

test('nothing is drawn for an attribute without a line, nor a rate on the axis of the values', () => {
  expect(judgedLines(termsOf(EXPLANATION), [{ ...LINE, key: 'urn:x|pm2_5' }], RANGE)).toEqual([]);
});

test('the unit is that of the values, also where the rule looks at a rate of them', () => {
  expect(unitOf(termsOf(EXPLANATION), 'pm10')).toBe('GQ');
  expect(unitOf(termsOf({ terms: [EXPLANATION.terms[1]] }), 'pm10')).toBe('GQ');
  expect(unitOf(termsOf(EXPLANATION), 'no2')).toBe(null);
});

test('a figure is told with its window and unit in the language of the reader', () => {
  const [mean, rate] = termsOf(EXPLANATION);
  settings.lang = 'vi';
  expect(termText(mean!, 'vi')).toMatch(/\(trung bình trong 24 giờ\)$/);
  expect(figureText(mean!.value, mean!, 'vi')).toBe('103,7 µg/m³');
  expect(limitText({ ...mean!, comparison: '>=' }, 'vi')).toBe('≥ 45 µg/m³');
  settings.lang = 'en';
  expect(termText(mean!, 'en')).toMatch(/\(mean over 24 h\)$/);
  expect(figureText(rate!.value, rate!, 'en')).toMatch(/^9 µg\/m³\//);
});

test('the mark of a limit stands in the language of the reader', () => {
  settings.lang = 'vi';
  expect(markText('public source; first day of validity unverified')).toBe(
    'nguồn công khai; ngày bắt đầu áp dụng chưa kiểm chứng',
  );
  settings.lang = 'en';
  expect(markText('second-hand')).toBe('second-hand');
});

test('a rate has the unit of its change, is rounded, and never looks like the limit that it misses', () => {
  const rate = { attribute: 'level', figure: 'rate', comparison: '>', limit: 0.3, parameters: [3600], unit: 'MTR' };
  const text = (value: number, more = {}) => {
    const [term] = termsOf({ ...rate, value, ...more });
    return [figureText(term!.value, term!, 'vi'), limitText(term!, 'vi')];
  };
  settings.lang = 'vi';
  expect(text(-0.123456789)).toEqual(['−0,123 m/giờ', '> 0,3 m/giờ']);
  expect(text(0.29999)).toEqual(['0,29999 m/giờ', '> 0,3 m/giờ']);
  expect(text(0.3)).toEqual(['0,3 m/giờ', '> 0,3 m/giờ']);
  expect(text(0.00004)).toEqual(['0,00004 m/giờ', '> 0,3 m/giờ']);
  expect(text(1234.56789, { figure: 'mean', parameters: [], limit: 1200 })).toEqual(['1.234,57 m', '> 1.200 m']);
});
