import { expect, test } from 'vitest';
import { Drafts } from '../src/screens/incident/drafts';

class Memory {
  text: string | null = null;
  getItem(): string | null {
    return this.text;
  }
  setItem(_name: string, text: string): void {
    this.text = text;
  }
}

const OF = { who: 'an', step: 'step:1.1.look', opened_at: '2026-11-27T10:00:00Z' };
const ANSWERS = { texts: { level: '1.62' }, ticks: {}, files: { photo: { number: 4, name: 'a.png' } } };
const DAY_MS = 86_400_000;

test('answers are there again, for the same person and the same step alone', () => {
  const shelf = new Memory();
  new Drafts(shelf, () => 1000).keep(OF, ANSWERS);
  const again = new Drafts(shelf, () => 2000);
  expect(again.find(OF)).toEqual({ ...OF, ...ANSWERS, at: 1000 });
  expect(again.find({ ...OF, who: 'binh' })).toBeNull();
  expect(again.find({ ...OF, step: 'step:1.1.close' })).toBeNull();
  expect(again.find({ ...OF, opened_at: '2026-11-28T10:00:00Z' })).toBeNull();
});

test('what is sent, emptied or old is forgotten', () => {
  const shelf = new Memory();
  const early = new Drafts(shelf, () => 0);
  early.keep(OF, ANSWERS);
  early.drop(OF);
  expect(early.find(OF)).toBeNull();
  early.keep(OF, ANSWERS);
  expect(early.keep(OF, { texts: { level: ' ' }, ticks: { ok: false }, files: {} })).toBeNull();
  expect(early.find(OF)).toBeNull();
  early.keep(OF, ANSWERS);
  expect(new Drafts(shelf, () => 6 * DAY_MS).find(OF)).not.toBeNull();
  expect(new Drafts(shelf, () => 8 * DAY_MS).find(OF)).toBeNull();
});

test('drafts do not grow without end, and a store that refuses costs only itself', () => {
  const shelf = new Memory();
  const of = new Drafts(shelf, () => 0);
  for (let n = 0; n < 60; n += 1) of.keep({ ...OF, step: `step:${n}` }, ANSWERS);
  expect(JSON.parse(shelf.text!)).toHaveLength(50);
  const full = { getItem: () => '{broken', setItem: () => { throw new Error('full'); } };
  expect(new Drafts(full).keep(OF, ANSWERS)).not.toBeNull();
  expect(new Drafts(full).find(OF)).toBeNull();
});
