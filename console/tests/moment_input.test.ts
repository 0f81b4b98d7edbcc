import { expect, test } from 'vitest';
import { movedDay, readMoment, shownMoment, weeksOf } from '../src/format/moment_input';

/** 06:30 of 28 November 2026 in Việt Nam. */
const NOW_MS = Date.parse('2026-11-27T23:30:00Z');

test.each([
  ['28/11/2026 17:30', '2026-11-28T17:30'],
  ['1/2/2027 7:05', '2027-02-01T07:05'],
  ['1-2-2027, 7h05', '2027-02-01T07:05'],
  ['17:30 28/11/2026', '2026-11-28T17:30'],
  ['17:30:59 28/11/2026', '2026-11-28T17:30'],
  ['2026-11-28T17:30', '2026-11-28T17:30'],
  ['2026-11-28 17:30', '2026-11-28T17:30'],
  ['5/12 08:00', '2026-12-05T08:00'],
  ['17:30', '2026-11-28T17:30'],
  ['28/11/2026', '2026-11-28T00:00'],
  ['  ', ''],
])('a time as people write it: %s', (typed, value) => {
  expect(readMoment(typed, 'time', NOW_MS)).toBe(value);
});

test.each(['31/02/2026', '29/2/2027 10:00', '28/13/2026', '28/11/2026 24:00', '28/11/26', 'mai', '11/28/2026 05:30 PM'])(
  'what is no time is refused: %s',
  (typed) => {
    expect(readMoment(typed, 'time', NOW_MS)).toBe(null);
  },
);

test('a day takes a date and no time alone', () => {
  expect(readMoment('1/12/2026', 'day', NOW_MS)).toBe('2026-12-01');
  expect(readMoment('17:30', 'day', NOW_MS)).toBe(null);
});

test('what is shown is read as the same value again', () => {
  for (const value of ['2026-11-28T17:30', '1999-01-02T00:00'])
    expect(readMoment(shownMoment(value), 'time', NOW_MS)).toBe(value);
  expect(shownMoment('2026-12-01')).toBe('01/12/2026');
  expect(readMoment('01/12/2026', 'day', NOW_MS)).toBe('2026-12-01');
  expect(shownMoment('')).toBe('');
});

test('a month stands in whole weeks from Monday on', () => {
  const weeks = weeksOf('2026-11');
  expect(weeks[0]![0]).toBe('2026-10-26');
  expect(weeks.at(-1)!.at(-1)).toBe('2026-12-06');
  expect(weeksOf('2027-02')).toHaveLength(4);
});

test('days and months go on over ends of months and years', () => {
  expect(movedDay('2026-12-31', 1)).toBe('2027-01-01');
  expect(movedDay('2026-11-28', -7)).toBe('2026-11-21');
  expect(movedDay('2027-01-31', 0, 1)).toBe('2027-02-28');
  expect(movedDay('2026-01-15', 0, -1)).toBe('2025-12-15');
});
