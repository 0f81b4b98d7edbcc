import { describe, expect, it } from 'vitest';
import type { Delta, EntityView, Snapshot, Value } from '../src/api/types';
import { emptyPicture, merge } from '../src/live/merge';

function value(attribute: string, number: number): Value {
  return {
    attribute,
    dataset: '',
    kind: 1,
    number,
    text: null,
    body: null,
    unit: null,
    observed_at: null,
    modified_at: null,
    quality: 1,
    source: 's',
    stale_after_s: null,
  };
}

function entity(id: string, values: Value[] = []): EntityView {
  return {
    id,
    name: id,
    types: [],
    scope: [],
    lon: 106,
    lat: 10,
    origin: 'measured',
    origin_note: '',
    origin_note_vi: '',
    values,
  };
}

const snapshot = (n: number, entities: EntityView[], epoch = 'e'): Snapshot => ({
  kind: 'snapshot',
  n,
  epoch,
  at: '',
  entities,
  sources: [],
});

const delta = (n: number, more: Partial<Delta> = {}): Delta => ({
  kind: 'delta',
  n,
  after: n - 1,
  at: '',
  values: [],
  entities: [],
  gone: [],
  sources: [],
  ...more,
});

describe('the live picture', () => {
  it('starts with a snapshot and follows numbered deltas', () => {
    const picture = emptyPicture();
    expect(merge(picture, snapshot(7, [entity('a', [value('x', 1)])]))?.reset).toBe(true);
    const changes = merge(picture, delta(8, { values: [['a', value('x', 2)], ['a', value('y', 5)]] }));
    expect([...(changes?.changed ?? [])]).toEqual(['a']);
    expect(picture.entities.get('a')?.values.map((v) => v.number)).toEqual([2, 5]);
    expect(picture.n).toBe(8);
  });

  it('replaces rows instead of changing them', () => {
    const picture = emptyPicture();
    merge(picture, snapshot(0, [entity('a', [value('x', 1)]), entity('b')]));
    const [a, b] = [picture.entities.get('a'), picture.entities.get('b')];
    merge(picture, delta(1, { values: [['a', value('x', 2)]] }));
    expect(picture.entities.get('a')).not.toBe(a);
    expect(a?.values[0]?.number).toBe(1);
    expect(picture.entities.get('b')).toBe(b);
  });

  it('takes a merged delta that says what it follows', () => {
    const picture = emptyPicture();
    merge(picture, snapshot(3, []));
    expect(merge(picture, delta(9, { after: 3 }))).not.toBeNull();
    expect(picture.n).toBe(9);
  });

  it('sees a gap in deltas and in beats', () => {
    const picture = emptyPicture();
    expect(merge(picture, delta(1))).toBeNull();
    merge(picture, snapshot(3, []));
    expect(merge(picture, delta(5))).toBeNull();
    expect(merge(picture, delta(9, { after: 4 }))).toBeNull();
    expect(merge(picture, { kind: 'beat', n: 4, at: '' })).toBeNull();
    expect(merge(picture, { kind: 'beat', n: 3, at: '' })).not.toBeNull();
  });

  it('drops everything on a new snapshot', () => {
    const picture = emptyPicture();
    merge(picture, snapshot(3, [entity('old')]));
    merge(picture, snapshot(0, [entity('new')], 'f'));
    expect([...picture.entities.keys()]).toEqual(['new']);
    expect(picture.epoch).toBe('f');
  });

  it('forgets what is gone and ignores values of what it never knew', () => {
    const picture = emptyPicture();
    merge(picture, snapshot(0, [entity('a')]));
    const changes = merge(picture, delta(1, { gone: ['a'], values: [['z', value('x', 1)]] }));
    expect(picture.entities.size).toBe(0);
    expect(changes?.gone).toEqual(['a']);
    expect(changes?.changed.size).toBe(0);
  });
});
