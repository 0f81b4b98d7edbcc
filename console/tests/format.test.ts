import { describe, expect, it } from 'vitest';
import { fold, matches } from '../src/format/fold';
import { formatCount, formatNumber } from '../src/format/number';
import {
  formatClock,
  formatDate,
  formatDelay,
  formatDuration,
  fromLocalInput,
  toLocalInput,
} from '../src/format/time';
import { unitSymbol } from '../src/format/unit';
import { exactText, entityName, isStale, valueWithUnit } from '../src/format/value';
import type { Value } from '../src/api/types';

const VALUE: Value = {
  attribute: 'pm25',
  dataset: '',
  kind: 1,
  number: 12.345,
  text: null,
  body: null,
  unit: 'GQ',
  observed_at: '2026-11-22T02:00:00Z',
  modified_at: '2026-11-22T02:00:01Z',
  quality: 1,
  source: 's1',
  stale_after_s: 60,
};

describe('numbers', () => {
  it('have a decimal comma in Vietnamese', () => {
    expect(formatNumber(1234.5, 'vi')).toBe('1.234,5');
    expect(formatNumber(1234.5, 'en')).toBe('1,234.5');
    expect(formatCount(1234567, 'vi')).toBe('1.234.567');
  });
  it('keep about three significant figures when the unit says nothing', () => {
    expect(formatNumber(0.12345, 'vi')).toBe('0,123');
    expect(formatNumber(12.345, 'vi')).toBe('12,3');
    expect(formatNumber(7, 'vi')).toBe('7');
    expect(formatNumber(-0.4, 'vi', 2)).toBe('−0,40');
  });
  it('show a dash for what is no number', () => {
    expect(formatNumber(Number.NaN, 'vi')).toBe('–');
  });
});

describe('times', () => {
  const at = Date.parse('2026-11-21T17:05:09Z');
  it('are those of Việt Nam', () => {
    expect(formatDate(at)).toBe('22/11/2026');
    expect(formatClock(at)).toBe('00:05:09');
  });
  it('go through a form field and back', () => {
    expect(toLocalInput(at)).toBe('2026-11-22T00:05');
    expect(fromLocalInput('2026-11-22T00:05')).toBe(at - 9000);
    expect(fromLocalInput('nonsense')).toBeNull();
  });
  it('are told as ages in the largest sensible unit', () => {
    expect(formatDuration(45_000, 'vi')).toBe('45 giây');
    expect(formatDuration(3 * 3_600_000, 'vi')).toBe('3 giờ');
    expect(formatDuration(-500, 'en')).toBe('0 s');
    expect(formatDelay(1234, 'vi')).toBe('1,2 giây');
  });
});

describe('search', () => {
  it('folds diacritics and đ', () => {
    expect(fold('Đường Thủ Dầu Một')).toBe('duong thu dau mot');
    expect(matches('Trạm Thủ Dầu Một', 'dau mot')).toBe(true);
    expect(matches('Trạm Dĩ An', 'di ban')).toBe(false);
  });
  it('folds decomposed text too', () => {
    expect(fold('Đường'.normalize('NFD'))).toBe('duong');
  });
});

describe('values', () => {
  it('carry their unit', () => {
    expect(valueWithUnit(VALUE, 'vi')).toBe('12,3 µg/m³');
    expect(unitSymbol('XYZ')).toBe('XYZ');
  });
  it('are readable to the last digit', () => {
    expect(exactText({ ...VALUE, number: 1077.25 }, 'vi')).toBe('1.077,25 µg/m³');
    expect(exactText({ ...VALUE, number: 0.1234567, unit: null }, 'en')).toBe('0.1234567');
    expect(exactText({ ...VALUE, number: null, text: 'open' }, 'en')).toBe('');
  });
  it('of a nameless entity stand under its id', () => {
    expect(entityName({ id: 'urn:ngsi-ld:Device:gauge-1', name: '' })).toBe('Device:gauge-1');
  });
  it('turn stale after their time, or never', () => {
    const at = Date.parse('2026-11-22T02:00:00Z');
    expect(isStale(VALUE, at + 60_000)).toBe(false);
    expect(isStale(VALUE, at + 60_001)).toBe(true);
    expect(isStale({ ...VALUE, stale_after_s: null }, at + 1e12)).toBe(false);
  });
});
