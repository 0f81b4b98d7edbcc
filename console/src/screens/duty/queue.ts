/** Actions taken on a phone: kept in the browser until the hub has them, each sent as one request
 * with an idempotency key, so that none is lost and none is done twice. */

export interface Action {
  /** Idempotency-Key. */
  key: string;
  /** Person who acted: nobody else's session sends it. */
  who: string;
  method: 'POST' | 'PATCH' | 'PUT';
  path: string;
  body: unknown;
  /** What it does, in words of the time when it was taken. */
  label: string;
  /** What it is about, e.g. `alarm:12`: shown as done while it waits. */
  subject: string;
  /** Milliseconds since 1970. */
  at: number;
  state: 'waiting' | 'refused';
  /** Why the hub refused it, in its words. */
  why: string;
  /** Code of that problem. */
  code?: string;
}

/** The part of Storage that is used. */
export interface Shelf {
  getItem(name: string): string | null;
  setItem(name: string, text: string): void;
}

/** How a request went: `unreachable` and `later` leave it in the queue. */
export type Outcome =
  | { kind: 'done' }
  | { kind: 'unreachable' }
  | { kind: 'later' }
  | { kind: 'signed_out' }
  | { kind: 'refused'; why: string; code: string };

export type Send = (action: Action) => Promise<Outcome>;

const NAME = 'dothi.duty.queue';

export class Queue {
  constructor(
    private readonly shelf: Shelf,
    private readonly send: Send,
    private readonly changed: (actions: Action[]) => void = () => {},
  ) {}

  private isSending = false;

  all(): Action[] {
    try {
      return JSON.parse(this.shelf.getItem(NAME) ?? '[]') as Action[];
    } catch {
      return [];
    }
  }

  add(action: Omit<Action, 'state' | 'why'>): void {
    this.keep([...this.all(), { ...action, state: 'waiting', why: '' }]);
  }

  /** Forget a refused action. */
  drop(key: string): void {
    this.keep(this.all().filter((one) => one.key !== key));
  }

  /** Send what waits, in its order, until the hub cannot be reached. Answers with the last outcome;
   * null: nothing was sent. */
  async flush(who: string): Promise<Outcome | null> {
    if (this.isSending) return null;
    this.isSending = true;
    let last: Outcome | null = null;
    try {
      for (;;) {
        const next = this.all().find((one) => one.who === who && one.state === 'waiting');
        if (!next) return last;
        last = await this.send(next);
        if (last.kind === 'done') this.drop(next.key);
        else if (last.kind === 'refused') this.mark(next.key, last.why, last.code);
        else return last;
      }
    } finally {
      this.isSending = false;
    }
  }

  private mark(key: string, why: string, code: string): void {
    const refused = { state: 'refused', why, code } as const;
    this.keep(this.all().map((one) => (one.key === key ? { ...one, ...refused } : one)));
  }

  private keep(actions: Action[]): void {
    this.shelf.setItem(NAME, JSON.stringify(actions));
    this.changed(actions);
  }
}

/** What an answer means for the queue. A repeat that comes too early is told so with 409. */
export function outcomeOf(status: number, code: string, text: string): Outcome {
  if (status >= 200 && status < 300) return { kind: 'done' };
  if (status === 401) return { kind: 'signed_out' };
  const isEarly = status === 409 && code === 'idempotency_key';
  if (status >= 500 || status === 429 || isEarly) return { kind: 'later' };
  return { kind: 'refused', why: text, code };
}
