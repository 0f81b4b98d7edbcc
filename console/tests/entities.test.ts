import { describe, expect, it } from 'vitest';
import type { NgsiEntity } from '../src/api/ngsi';
import { nameOf, newestChange, placeOf, valuesOf, viewOf } from '../src/api/ngsi_values';
import type { Layer } from '../src/api/types';
import { boxText, isFiltering, nextSort, NO_FILTER, orderOf, parseBox, parseColumns, parseFilter, parsePage, questionOf } from '../src/screens/entities/browse_url';
import { defaultColumns, seenAttributes } from '../src/screens/entities/columns';
import { join, putWord, suggestions, wordAt } from '../src/screens/entities/complete';
import { cell, csvHead, csvLine } from '../src/screens/entities/csv';
import { examples, namesFor } from '../src/screens/entities/examples';
import { createLine } from '../src/screens/entities/first_entity';
import { prettyJson } from '../src/screens/entities/pretty';
import { readRecent, remember } from '../src/screens/entities/recent';

const STATION: NgsiEntity = {
  id: 'urn:ngsi-ld:Air:1',
  type: 'Air',
  scope: '/BD/1',
  createdAt: '2026-11-01T00:00:00Z',
  modifiedAt: '2026-11-02T00:00:00Z',
  name: { type: 'Property', value: 'Trạm 1, "cũ"', modifiedAt: '2026-11-01T00:00:00Z' },
  location: { type: 'GeoProperty', value: { type: 'Point', coordinates: [106.6, 10.9] } },
  pm25: [
    { type: 'Property', value: 12.5, unitCode: 'GQ', observedAt: '2026-11-03T00:00:00Z', modifiedAt: '2026-11-03T00:00:01Z' },
    { type: 'Property', value: 13, datasetId: 'urn:ngsi-ld:dataset:b' },
  ],
  locatedAt: { type: 'Relationship', object: 'urn:ngsi-ld:Ward:1' },
  address: { type: 'Property', value: { city: 'Thủ Dầu Một' } },
};

describe('NGSI-LD as the console shows it', () => {
  it('reads every kind of value', () => {
    const values = Object.fromEntries(valuesOf(STATION).map((v) => [`${v.attribute}|${v.dataset}`, v]));
    expect(values['pm25|']).toMatchObject({ number: 12.5, unit: 'GQ', observed_at: '2026-11-03T00:00:00Z' });
    expect(values['pm25|urn:ngsi-ld:dataset:b']?.number).toBe(13);
    expect(values['locatedAt|']).toMatchObject({ kind: 2, text: 'urn:ngsi-ld:Ward:1', number: null });
    expect(values['address|']?.body).toBe('{"city":"Thủ Dầu Một"}');
    const others: NgsiEntity = {
      id: 'x', type: 'T',
      a: { type: 'LanguageProperty', languageMap: { vi: 'Cầu' } },
      b: { type: 'VocabProperty', vocab: 'open' },
      c: { type: 'JsonProperty', json: { x: 1 } },
      d: { type: 'ListProperty', valueList: [1, 2] },
      e: { type: 'ListRelationship', objectList: ['urn:a'] },
    };
    expect(valuesOf(others).map((v) => [v.kind, v.text ?? v.body])).toEqual([
      [4, '{"vi":"Cầu"}'], [5, 'open'], [6, '{"x":1}'], [7, '[1,2]'], [8, '["urn:a"]'],
    ]);
  });
  it('knows the newest change of all', () => expect(newestChange(STATION)).toBe('2026-11-03T00:00:01Z'));
  it('takes the name in the language asked for', () => {
    const named = { ...STATION, name: { type: 'LanguageProperty', languageMap: { en: 'Bridge', vi: 'Cầu' } } };
    expect([nameOf(named, 'vi'), nameOf(named, 'en'), nameOf(named, 'fr')]).toEqual(['Cầu', 'Bridge', 'Bridge']);
    expect(nameOf({ id: 'x', type: 'T' }, 'vi')).toBeNull();
  });
  it('puts what is larger than a point in its middle', () => {
    const ring = [[[106, 10], [108, 10], [108, 12], [106, 12], [106, 10]]];
    const at = (value: unknown) => placeOf({ id: 'x', type: 'T', location: { type: 'GeoProperty', value } });
    expect(at({ type: 'Polygon', coordinates: ring })).toEqual([107, 11]);
    expect(at({ type: 'GeometryCollection', geometries: [{ type: 'Point', coordinates: [1, 2] }] })).toEqual([1, 2]);
    expect(at(null)).toBeNull();
  });
  it('is a view without name and place among its values', () => {
    const view = viewOf(STATION, 'vi');
    expect(view).toMatchObject({ types: ['Air'], scope: ['/BD/1'], lon: 106.6, lat: 10.9 });
    expect(new Set(view.values.map((v) => v.attribute))).toEqual(new Set(['pm25', 'locatedAt', 'address']));
  });
});

describe('the URL of the entity browser', () => {
  it('becomes an NGSI-LD question', () => {
    const filter = parseFilter(new URLSearchParams('type=Air&q=pm25%3E25&scope=/BD/%23&box=106,10,107,11'));
    expect(questionOf(filter)).toEqual({
      type: 'Air', q: 'pm25>25', id: '', idPattern: '', scopeQ: '/BD/#', local: 'true',
      georel: 'within', geometry: 'Polygon',
      coordinates: '[[[106,10],[107,10],[107,11],[106,11],[106,10]]]',
    });
    expect(isFiltering(filter)).toBe(true);
    expect(isFiltering(NO_FILTER)).toBe(false);
  });
  it('refuses boxes that are none', () => {
    for (const text of [null, '', '1,2,3', 'a,b,c,d', '107,10,106,11', '106,11,107,10', '106,10,107,91'])
      expect(parseBox(text), String(text)).toBeNull();
    expect(parseBox(boxText({ west: -200, south: -91, east: 106.123456, north: 10 }))).toEqual({
      west: -180, south: -90, east: 106.12346, north: 10,
    });
  });
  it('asks the hub for an order', () => {
    expect(orderOf(null)).toEqual({});
    expect(orderOf('-pm25')).toEqual({ orderBy: 'pm25;desc', collation: 'vi' });
    const clicks = [nextSort(null, 'a'), nextSort('a', 'a'), nextSort('-a', 'a'), nextSort('b', 'a')];
    expect(clicks).toEqual(['a', '-a', null, 'a']);
  });
  it('counts pages from one', () => {
    expect(['3', null, '0', '-1', 'x', '1.5'].map(parsePage)).toEqual([3, 1, 1, 1, 1, 1]);
  });
  it('tells no columns from columns that nobody chose', () => {
    expect([parseColumns(null), parseColumns(''), parseColumns('a,b')]).toEqual([null, [], ['a', 'b']]);
  });
});

describe('columns that nobody chose', () => {
  const layer: Layer = { id: 'air', title: { vi: '', en: '' }, types: ['Air'], attribute: 'no2', domain: 'air', unit: null };
  const one = (attributes: Record<string, unknown>): NgsiEntity => ({ id: 'x', type: 'Air', ...attributes });
  const number = { type: 'Property', value: 1 };
  const word = { type: 'Property', value: 'w' };
  const page = [one({ status: word, co: number, name: word }), one({ status: word, no2: number, location: word })];

  it('are those of the layer, then numbers', () => expect(defaultColumns(page, [layer])).toEqual(['no2', 'co']));
  it('are numbers, words only where there are none', () => {
    expect(defaultColumns([page[0] as NgsiEntity], [])).toEqual(['co']);
    expect(defaultColumns([one({ status: word })], [])).toEqual(['status']);
  });
  it('offer the frequent ones first', () => expect(seenAttributes(page)[0]).toBe('status'));
});

describe('completion of q', () => {
  const at = (text: string) => wordAt(text.replace('^', ''), text.indexOf('^'));
  it('finds a name where one belongs', () => {
    expect(at('pm^')?.text).toBe('pm');
    expect(at('a>1;p^m25>2')).toEqual({ start: 4, end: 8, text: 'p' });
    expect(at('(a==1 | ^')?.text).toBe('');
  });
  it('finds none in values, sub-attributes and texts', () => {
    for (const text of ['a==b^', 'a>2^', 'a.obs^', 'a[b^', 'n=="x;y^', 'n=="a\\";b^']) expect(at(text), text).toBeNull();
  });
  it('offers beginnings first, folded', () => {
    const word = { start: 0, end: 2, text: 'PM' };
    expect(suggestions(word, ['rpm', 'pm25', 'pm10', 'no2'], 9)).toEqual(['pm10', 'pm25', 'rpm']);
    expect(suggestions({ ...word, text: 'no2' }, ['no2'], 9)).toEqual([]);
    expect(putWord('a>1;p>2', { start: 4, end: 5, text: 'p' }, 'pm25')).toEqual({ q: 'a>1;pm25>2', caret: 8 });
  });
  it('adds a condition that holds beside all others', () => {
    expect(join(' ', 'a')).toBe('a');
    expect(join('a>1;', 'b')).toBe('a>1;b');
    expect(join('a|b', 'c')).toBe('(a|b);c');
    expect(join('(a|b)', 'c')).toBe('(a|b);c');
    expect(join('(a|b)|(c|d)', 'e')).toBe('((a|b)|(c|d));e');
    expect(join('n=="a|b"', 'c')).toBe('n=="a|b";c');
  });
  it('explains with attributes that are there', () => {
    const names = namesFor(['status', 'level'], (name) => ({
      type: 'Property',
      ...(name === 'level' ? { value: 1, unitCode: 'MTR' } : { value: 'on' }),
    }));
    expect(names).toEqual({ number: 'level', text: 'status', relationship: 'locatedAt', unit: 'MTR' });
    const terms = examples(names, new Date('2026-11-22T10:00:00Z')).map((e) => e.term);
    expect(terms).toContain('level>25');
    expect(terms).toContain('level.observedAt>=2026-11-22T00:00:00Z');
  });
});

describe('files', () => {
  it('are CSV that no spreadsheet runs or splits', () => {
    expect([null, 1.5, -2, 'a"b', 'x,y', '=1+1', '-x'].map(cell)).toEqual([
      '', '1.5', '-2', '"a""b"', '"x,y"', "'=1+1", "'-x",
    ]);
  });
  it('have each value with its unit and time', () => {
    expect(csvHead(['pm25'])).toBe('id,type,name,lon,lat,modifiedAt,pm25,pm25.unitCode,pm25.observedAt\r\n');
    expect(csvLine(STATION, ['pm25', 'none'], 'vi')).toBe(
      'urn:ngsi-ld:Air:1,Air,"Trạm 1, ""cũ""",106.6,10.9,2026-11-03T00:00:01Z,12.5,GQ,2026-11-03T00:00:00Z,,,\r\n',
    );
  });
  it('are JSON with plain lists on one line, texts untouched', () => {
    const text = JSON.stringify({ a: [1, 2], b: [], c: [{ d: 'x,   [y]' }], e: ['p,  q'] });
    const pretty = prettyJson(text);
    expect(pretty).toContain('"a": [1, 2],');
    expect(pretty).toContain('"e": ["p,  q"]');
    expect(JSON.parse(pretty)).toEqual(JSON.parse(text));
  });
  it('begin with a line that creates an entity', () => {
    const line = createLine('http://hub');
    expect(line).toContain('http://hub/ngsi-ld/v1/entities');
    expect(JSON.parse((line.match(/-d '(.*)'$/s) as RegExpMatchArray)[1] as string)).toMatchObject({ type: 'Building' });
  });
});

describe('recent filters', () => {
  const storage = (start: string | null) => {
    let kept = start;
    return { getItem: () => kept, setItem: (_key: string, text: string) => void (kept = text) };
  };
  it('keep ten, each once, the newest first', () => {
    const store = storage(null);
    for (let i = 0; i < 12; i++) remember(store, { type: '', q: `a>${i}` });
    remember(store, { type: '', q: 'a>5' });
    const found = readRecent(store).map((one) => one.q);
    expect(found.slice(0, 2)).toEqual(['a>5', 'a>11']);
    expect(found).toHaveLength(10);
  });
  it('survive nonsense in the store', () => {
    expect(readRecent(storage('{'))).toEqual([]);
    expect(readRecent(storage('[1, {"q": "", "type": ""}]'))).toEqual([]);
  });
});
