import { expect, test, vi } from 'vitest';

vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener: () => undefined }));
vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => undefined });
const { settings } = await import('../src/state/settings.svelte');
const { lackText } = await import('../src/shell/own_words');

const NONE = { valueMissing: false, tooShort: false, badInput: false, rangeUnderflow: false, rangeOverflow: false };

test('what a form lacks stands in the language of the screen', () => {
  settings.lang = 'vi';
  expect(lackText({ type: 'radio', validity: { ...NONE, valueMissing: true } })).toMatch(/^Hãy chọn/);
  expect(lackText({ type: 'number', min: '0.5', validity: { ...NONE, rangeUnderflow: true } })).toBe(
    'Không được nhỏ hơn 0,5.',
  );
  settings.lang = 'en';
  expect(lackText({ type: 'text', validity: { ...NONE, valueMissing: true } })).toMatch(/required/);
  expect(lackText({ type: 'textarea', minLength: 10, validity: { ...NONE, tooShort: true } })).toContain('10');
  expect(lackText({ type: 'text', validity: NONE })).toBe('');
});
