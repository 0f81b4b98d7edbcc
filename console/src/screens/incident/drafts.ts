/** Answers to a step that nobody has sent yet: kept in the browser, per person and step, until they
 * are; so that a call, a lock of the screen or another page costs nothing. */

/** The part of Storage that is used. */
export interface Shelf {
  getItem(name: string): string | null;
  setItem(name: string, text: string): void;
}

export interface Answers {
  texts: Record<string, string>;
  ticks: Record<string, boolean>;
  /** Files that are in the record already. */
  files: Record<string, { number: number; name: string }>;
}

export interface Draft extends Answers {
  who: string;
  /** `step:3.1.look` */
  step: string;
  /** When the step began: of another run of the same numbers it is not. */
  opened_at: string | null;
  /** Milliseconds since 1970. */
  at: number;
}

/** Whose draft of which step. */
export type DraftOf = Pick<Draft, 'who' | 'step' | 'opened_at'>;

const NAME = 'dothi.step_drafts';
const KEPT_MS = 7 * 86_400_000;
const MOST = 50;

/** Whether a step is over by this: then nobody will send its draft. */
export const isEnding = (action: unknown): boolean => action === 'finish' || action === 'skip';

export const isEmpty = (of: Answers): boolean =>
  !Object.values(of.texts).some((text) => text.trim()) &&
  !Object.values(of.ticks).some(Boolean) &&
  Object.keys(of.files).length === 0;

export class Drafts {
  constructor(
    private readonly shelf: Shelf,
    private readonly now: () => number = Date.now,
  ) {}

  find(of: DraftOf): Draft | null {
    const found = this.all().find((one) => one.who === of.who && one.step === of.step);
    return found && found.opened_at === of.opened_at ? found : null;
  }

  /** Empty answers are none: then nothing is kept. Gives what is. */
  keep(of: DraftOf, answers: Answers): Draft | null {
    const others = this.others(of);
    if (isEmpty(answers)) {
      this.store(others);
      return null;
    }
    const draft = { ...of, ...answers, at: this.now() };
    this.store([draft, ...others]);
    return draft;
  }

  /** Sent, or not wanted any more. */
  drop(of: Pick<DraftOf, 'who' | 'step'>): void {
    this.store(this.others(of));
  }

  private others(of: Pick<DraftOf, 'who' | 'step'>): Draft[] {
    return this.all().filter((one) => one.who !== of.who || one.step !== of.step);
  }

  /** Newest first. */
  private all(): Draft[] {
    try {
      const found = JSON.parse(this.shelf.getItem(NAME) ?? '[]') as Draft[];
      return found.filter((one) => this.now() - one.at < KEPT_MS);
    } catch {
      return [];
    }
  }

  private store(all: Draft[]): void {
    try {
      this.shelf.setItem(NAME, JSON.stringify(all.slice(0, MOST)));
    } catch {
      // A full or locked store: the answers live as long as the page, as they did before.
    }
  }
}

export const drafts = new Drafts({
  getItem: (name) => localStorage.getItem(name),
  setItem: (name, text) => localStorage.setItem(name, text),
});
