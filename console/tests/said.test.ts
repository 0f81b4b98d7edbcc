import { expect, test, vi } from 'vitest';

vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener: () => undefined }));
vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => undefined });
const { settings } = await import('../src/state/settings.svelte');
const { saidText } = await import('../src/screens/notices/said');

test('what channels said stands in the language of the reader', () => {
  settings.lang = 'vi';
  expect(saidText('no answer within 30 s')).toBe('không trả lời trong 30 giây');
  expect(saidText('given up: Connection refused')).toBe('thôi gửi: máy nhận từ chối kết nối');
  expect(saidText('given up: nobody was on duty who can be reached')).toMatch(/^thôi gửi: không có người trực/);
  settings.lang = 'en';
  expect(saidText('no answer within 30 s')).toBe('no answer within 30 s');
});

test('what a receiver wrote itself stays as it is', () => {
  settings.lang = 'vi';
  expect(saidText('250 2.0.0 Ok: queued as 4F2')).toBe('250 2.0.0 Ok: queued as 4F2');
  expect(saidText('status 200: {"ok": true}')).toBe('mã trả lời 200: {"ok": true}');
});
