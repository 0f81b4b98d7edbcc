import { describe, expect, it } from 'vitest';
import type { EntityView, Layer, RevisionSeries, SourceView } from '../src/api/types';
import { corrections } from '../src/screens/entity/corrections';
import { pointOf } from '../src/parts/map/features';
import { cameraText, parseCamera } from '../src/screens/map/map_url';
import { bars } from '../src/screens/sources/bars';
import { httpLine, mqttLine } from '../src/screens/sources/sending';
import { arrange, parseOrder } from '../src/screens/sources/table';
import { parseKeys } from '../src/screens/trends/series_keys';
import { sumGap } from '../src/parts/receipt';

const source = (id: string, more: Partial<SourceView> = {}): SourceView => ({
  id,
  name: id,
  kind: 'mqtt',
  owner: '',
  origin: 'measured',
  origin_note: '',
  origin_note_vi: '',
  cadence_s: null,
  licence: '',
  is_enabled: true,
  may_write_others: false,
  state: 'live',
  received: 0,
  stored: 0,
  rejected: 0,
  duplicate: 0,
  per_minute: 0,
  delay_ms: null,
  last_received_at: null,
  last_observed_at: null,
  ...more,
});

describe('the source table', () => {
  const rows = [
    source('a', { name: 'Đập Dầu Tiếng', received: 5 }),
    source('b', { name: 'Ấp Bến Đình', received: 9, state: 'silent' }),
    source('c', { name: 'Bến Cát', received: 7, state: 'late' }),
  ];
  const names = (text: string, state: string | null, sort: string | null) =>
    arrange(rows, { text, state }, parseOrder(sort)).map((s) => s.id);

  it('sorts as Vietnamese does', () => expect(names('', null, null)).toEqual(['b', 'c', 'a']));
  it('sorts by figures, either way', () => {
    expect(names('', null, 'received')).toEqual(['a', 'c', 'b']);
    expect(names('', null, '-received')).toEqual(['b', 'c', 'a']);
  });
  it('puts what needs a person first', () => expect(names('', null, 'state')).toEqual(['b', 'c', 'a']));
  it('filters with folded words', () => expect(names('dau tieng', null, null)).toEqual(['a']));
  it('filters by state', () => expect(names('', 'late', null)).toEqual(['c']));
  it('ignores an unknown column', () => expect(parseOrder('-nonsense').column).toBe('name'));
});

describe('receipts', () => {
  it('must add up', () => {
    expect(sumGap({ received: 10, stored: 7, rejected: 1, duplicate: 2 })).toBe(0);
    expect(sumGap({ received: 10, stored: 7, rejected: 1, duplicate: 1 })).toBe(1);
  });
  it('fill one bar per minute, empty minutes included', () => {
    const end = Date.parse('2026-11-22T02:03:30Z');
    const minute = { minute_at: '2026-11-22T02:01:00Z', received: 3, stored: 2, rejected: 1, duplicate: 0, delay_ms: 1 };
    const shown = bars([minute], end, 4, 1);
    expect(shown.map((b) => b.received)).toEqual([0, 3, 0, 0]);
    expect(shown.at(-1)?.at).toBe(Date.parse('2026-11-22T02:03:00Z'));
  });
});

describe('map features', () => {
  const air: Layer = {
    id: 'air',
    title: { vi: '', en: '' },
    types: ['Air'],
    attribute: 'pm25',
    domain: 'air',
    unit: 'GQ',
  };
  const station: EntityView = {
    id: 'x',
    name: 'Trạm',
    types: ['Air'],
    scope: [],
    lon: 106,
    lat: 10,
    origin: 'measured',
    origin_note: '',
    origin_note_vi: '',
    values: [
      {
        attribute: 'pm25',
        dataset: '',
        kind: 1,
        number: 35.25,
        text: null,
        body: null,
        unit: 'GQ',
        observed_at: '2026-11-22T02:00:00Z',
        modified_at: null,
        quality: 1,
        source: 's',
        stale_after_s: 60,
      },
    ],
  };
  const at = Date.parse('2026-11-22T02:00:10Z');
  const view = { layers: [air], hidden: new Set<string>(), lang: 'vi' as const, nowMs: at };

  it('show the value of the layer', () => {
    expect(pointOf(station, view)?.properties).toMatchObject({ icon: 'air', label: '35,3' });
  });
  it('write a negative value with a dash that their fonts have', () => {
    const [value] = station.values;
    const cold = { ...station, values: [{ ...value!, number: -2.5 }] };
    expect(pointOf(cold, view)?.properties.label).toBe('–2,5');
  });
  it('turn hollow when stale', () => {
    expect(pointOf(station, { ...view, nowMs: at + 100_000 })?.properties.icon).toBe('air-stale');
  });
  it('go with their layer', () => {
    expect(pointOf(station, { ...view, hidden: new Set(['air']) })).toBeNull();
  });
  it('show things that no layer names', () => {
    const stranger = { ...station, types: ['Device'] };
    expect(pointOf(stranger, view)?.properties.icon).toBe('other');
  });
  it('need a place', () => expect(pointOf({ ...station, lon: null }, view)).toBeNull());
});

describe('URLs', () => {
  it('hold the camera', () => {
    const camera = parseCamera('10.9500,106.6500,9.50');
    expect(camera && cameraText(camera)).toBe('10.9500,106.6500,9.50');
    expect(parseCamera('nonsense')).toBeNull();
    expect(parseCamera('99,106,9')).toBeNull();
  });
  it('hold at most twelve series, each once', () => {
    const params = new URLSearchParams();
    for (let i = 0; i < 15; i++) params.append('key', `urn:${i}|a`);
    params.append('key', 'urn:0|a');
    params.append('key', 'broken');
    expect(parseKeys(params)).toHaveLength(12);
  });
});

describe('corrections', () => {
  it('show every value that a corrected observation ever had', () => {
    const series: RevisionSeries = {
      entity: 'e',
      attribute: 'a',
      dataset: '',
      unit: null,
      t: [1, 2, 2, 3],
      v: [1, 2, 9, 3],
      q: [1, 1, 1, 1],
      revision: [0, 0, 1, 0],
      committed: [1, 2, 5, 3],
      source: ['s', 's', 't', 's'],
    };
    const rows = corrections(series);
    expect(rows.map((r) => [r.v, r.revision, r.isInForce])).toEqual([
      [9, 1, true],
      [2, 0, false],
    ]);
  });
});

describe('ready-made lines', () => {
  it('quote what a shell would read', () => {
    expect(mqttLine('hub', 'st-1', "a'b")).toContain(`-P 'a'\\''b'`);
    const line = httpLine('http://hub', 'st-1', 'tok', new Date('2026-11-22T02:00:00Z'));
    expect(line).toContain('Authorization: Bearer tok');
    expect(line).toContain('"observedAt":"2026-11-22T02:00:00.000Z"');
  });
});
