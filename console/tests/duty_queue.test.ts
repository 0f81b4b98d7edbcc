import { describe, expect, it } from 'vitest';
import { outcomeOf, Queue, type Action, type Outcome, type Shelf } from '../src/screens/duty/queue';

class Memory implements Shelf {
  text: string | null = null;
  getItem(): string | null {
    return this.text;
  }
  setItem(_name: string, text: string): void {
    this.text = text;
  }
}

function action(key: string, who = 'an'): Omit<Action, 'state' | 'why'> {
  return { key, who, method: 'POST', path: '/x', body: {}, label: key, subject: '', at: 1 };
}

function queue(outcomes: Outcome[], shelf = new Memory()): { of: Queue; sent: string[] } {
  const sent: string[] = [];
  const of = new Queue(shelf, (one) => {
    sent.push(one.key);
    return Promise.resolve(outcomes.shift() ?? { kind: 'done' });
  });
  return { of, sent };
}

describe('queue of a phone', () => {
  it('sends in order and forgets what is done', async () => {
    const { of, sent } = queue([]);
    of.add(action('a'));
    of.add(action('b'));
    expect(await of.flush('an')).toEqual({ kind: 'done' });
    expect(sent).toEqual(['a', 'b']);
    expect(of.all()).toEqual([]);
  });
  it('keeps everything, with the same key, while the hub cannot be reached', async () => {
    const shelf = new Memory();
    const first = queue([{ kind: 'unreachable' }], shelf);
    first.of.add(action('a'));
    first.of.add(action('b'));
    await first.of.flush('an');
    expect(first.sent).toEqual(['a']);
    const later = queue([], shelf);
    await later.of.flush('an');
    expect(later.sent).toEqual(['a', 'b']);
  });
  it('shows a refusal and goes on with the rest', async () => {
    const { of } = queue([{ kind: 'refused', why: 'seen later', code: 'x' }]);
    of.add(action('a'));
    of.add(action('b'));
    await of.flush('an');
    expect(of.all().map((one) => [one.key, one.state, one.why])).toEqual([
      ['a', 'refused', 'seen later'],
    ]);
    expect(await of.flush('an')).toBeNull();
    of.drop('a');
    expect(of.all()).toEqual([]);
  });
  it('sends nothing in the name of somebody else', async () => {
    const { of, sent } = queue([]);
    of.add(action('a', 'binh'));
    expect(await of.flush('an')).toBeNull();
    expect(sent).toEqual([]);
  });
  it('does not send twice at a time', async () => {
    let release: (outcome: Outcome) => void = () => {};
    const of = new Queue(new Memory(), () => new Promise((done) => (release = done)));
    of.add(action('a'));
    const running = of.flush('an');
    expect(await of.flush('an')).toBeNull();
    release({ kind: 'done' });
    await running;
  });
  it('survives a shelf that holds nonsense', () => {
    const shelf = new Memory();
    shelf.text = '{';
    expect(queue([], shelf).of.all()).toEqual([]);
  });
});

describe('what an answer means', () => {
  it.each([
    [204, '', 'done'],
    [401, '', 'signed_out'],
    [409, 'alarm_not_seen', 'refused'],
    [409, 'idempotency_key', 'later'],
    [422, 'idempotency_key', 'refused'],
    [429, '', 'later'],
    [503, '', 'later'],
  ])('%i %s', (status, code, kind) => {
    expect(outcomeOf(status, code, 'why').kind).toBe(kind);
  });
});
