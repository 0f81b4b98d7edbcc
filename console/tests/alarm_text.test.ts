import { expect, test, vi } from 'vitest';

vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener: () => undefined }));
vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => undefined });
const { againstLimit } = await import('../src/api/alarms');
const { settings } = await import('../src/state/settings.svelte');

const ONE = {
  title: 'Nước cao',
  title_en: 'High water',
  text: 'Nước cao: Mực nước 1,62 m ≥ 1,5 m',
  text_en: 'High water: Water level 1.62 m ≥ 1.5 m',
};

test('the value stands in the language of the reader, without the title beside it', () => {
  settings.lang = 'vi';
  expect(againstLimit(ONE)).toBe('Mực nước 1,62\u00a0m ≥ 1,5\u00a0m');
  settings.lang = 'en';
  expect(againstLimit(ONE)).toBe('Water level 1.62\u00a0m ≥ 1.5\u00a0m');
});

test('an alarm of before is told in the one language that it has', () => {
  settings.lang = 'en';
  expect(againstLimit({ ...ONE, text_en: '' })).toBe('Mực nước 1,62\u00a0m ≥ 1,5\u00a0m');
  expect(againstLimit({ ...ONE, text_en: 'High water' })).toBe('');
});
