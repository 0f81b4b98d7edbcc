/** What is wrong with a filter, told in both languages, and where the caret goes. */

import { expect, test, vi } from 'vitest';

vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener: () => undefined }));
vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => undefined });
vi.stubGlobal('window', globalThis);
const { faultField, faultPlace, faultText } = await import('../src/screens/entities/faults');
const { settings } = await import('../src/state/settings.svelte');

const VALUE = 'parameter q: a value is missing: a number, "text", true, false, a time or a URI';
const CASES = [
  [
    `${VALUE} at character 6, before '>5'`,
    'Bộ lọc q: sai ở ký tự thứ 6, trước “>5”: thiếu giá trị: số, "chữ", true, false, thời điểm hoặc URI',
    'q filter: faulty at character 6, before “>5”: a value is missing: a number, "text", true, false, a time or a URI',
  ],
  [
    "parameter q: ')' is missing at the end",
    'Bộ lọc q: chưa hết: cuối cùng còn thiếu )',
    "q filter: unfinished: ')' is missing at the end",
  ],
  [
    `parameter scopeQ: ',', '|' or ';' is missing at character 3, before "'x"`,
    'Phạm vi: sai ở ký tự thứ 3, trước “\'x”: thiếu dấu , | hoặc ;',
    "Scope: faulty at character 3, before “'x”: ',', '|' or ';' is missing",
  ],
  [
    'parameter idPattern is no regular expression: missing ): ((',
    'Mẫu của mã: không phải biểu thức chính quy (missing ): (()',
    'Id pattern: not a regular expression (missing ): (()',
  ],
  [
    "parameter id: 'xx' is not a URI such as urn:ngsi-ld:Room:1",
    'Mã: “xx” không phải URI như urn:ngsi-ld:Room:1',
    "Id: 'xx' is not a URI such as urn:ngsi-ld:Room:1",
  ],
  [
    "id: 'x' is not a URI",
    "Máy chủ không nhận: id: 'x' is not a URI",
    "The hub refuses it: id: 'x' is not a URI",
  ],
] as const;

test.each(CASES)('%s', (detail, vietnamese, english) => {
  settings.lang = 'vi';
  expect(faultText(detail)).toBe(vietnamese);
  settings.lang = 'en';
  expect(faultText(detail)).toBe(english);
});

test('the caret goes where the fault begins', () => {
  expect(faultPlace(`${VALUE} at character 6, before '>5'`, 'pm25>>5')).toBe(5);
  expect(faultPlace(`${VALUE} at character 6, before '>5'`, '🌊pm2>>5')).toBe(6);
  expect(faultPlace("parameter q: ')' is missing at the end", '(pm25')).toBe(5);
  expect(faultPlace("parameter scopeQ: ')' is missing at the end", '(pm25')).toBe(null);
  expect(faultPlace('', 'pm25')).toBe(null);
});

test('the field that is at fault is the one that is marked', () => {
  expect(faultField('')).toBe('');
  expect(faultField(`${VALUE} at character 6, before '>5'`)).toBe('q');
  expect(faultField('parameter idPattern is no regular expression: x')).toBe('idPattern');
  expect(faultField("parameter scopeQ: ')' is missing at the end")).toBe('scopeQ');
  expect(faultField("parameter id: 'xx' is not a URI")).toBe('id');
  expect(faultField('the query is too wide')).toBe('q');
});
