import { expect, test, vi } from 'vitest';

vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener: () => undefined }));
vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => undefined });
vi.stubGlobal('window', globalThis);
const { settings } = await import('../src/state/settings.svelte');
const { ApiError } = await import('../src/api/client');
const { problemText } = await import('../src/i18n/problems');
const { PROBLEMS_VI } = await import('../src/i18n/problems.vi');

const OWN = new ApiError(409, 'Somebody else approves', 'written by an', 'ask another', 'rule_own');
const BODY = new ApiError(400, 'Body not understood', '$.level: missing', '', 'body_invalid');

test('a refusal is read in the language of the reader', () => {
  settings.lang = 'vi';
  expect(problemText(OWN)).toEqual({
    what: 'Bạn đã soạn bản này; người khác phải duyệt',
    remedy: 'Nhờ một người có quyền duyệt luật.',
  });
  expect(problemText(BODY).what).toBe('Nội dung gửi lên chưa đúng ($.level: missing)');
  settings.lang = 'en';
  expect(problemText(OWN)).toEqual({ what: 'Somebody else approves: written by an', remedy: 'ask another' });
});

test('what has no words here is said as the hub says it', () => {
  settings.lang = 'vi';
  expect(problemText(new ApiError(418, 'Teapot', 'short', '', 'teapot')).what).toBe('Teapot: short');
  expect(problemText(new ApiError(0, 'unreachable', 'x', '')).what).toMatch(/^Không liên lạc được/);
  for (const [code, said] of Object.entries(PROBLEMS_VI))
    for (const text of said.slice(0, 2)) expect(text, code).toBe(String(text).normalize('NFC'));
});
