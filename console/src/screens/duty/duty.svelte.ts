/** What the phone knows: own duties, alarms and tasks as of the last answer, and what waits. */

import type { AlarmView } from '../../api/alarms';
import type { Duty } from '../../api/people';
import type { Step, StepRun, Words } from '../../api/incidents';
import { drafts, isEnding, type DraftOf } from '../incident/drafts';
import { outcomeOf, Queue, type Action, type Outcome } from './queue';

export interface DutyTask {
  incident: number;
  number: number;
  version: number;
  title: string;
  incident_title: string;
  incident_title_en: string;
  due_at: string | null;
}

/** A step of a running procedure with everything that doing it needs. */
export interface DutyStep {
  incident: number;
  incident_title: string;
  incident_title_en: string;
  origin: string;
  run: number;
  procedure: Words;
  is_example: boolean;
  step: Step;
  state: StepRun;
}

export const stepSubject = (of: DutyStep): string => `step:${of.incident}.${of.run}.${of.step.id}`;

interface Page {
  person: string;
  name: string;
  permissions: string[];
  duties: Duty[];
  tasks: DutyTask[];
}

interface Known {
  /** Milliseconds since 1970, of the last good answer. */
  at: number;
  page: Page;
  alarms: AlarmView[];
  steps: DutyStep[];
}

interface PhotoAnswer {
  files?: { number: number; name: string }[];
  detail?: string;
}

export type Link = 'connecting' | 'online' | 'offline' | 'signed_out';

const NAME = 'dothi.duty.known';
const EVERY_MS = 10_000;
const PATIENCE_MS = 8000;
const PHOTO_PATIENCE_MS = 120_000;
const ROOT = '/api/v1';

function stored(): Known | null {
  try {
    const found = JSON.parse(localStorage.getItem(NAME) ?? 'null') as Known | null;
    // Kept by an older console: what it did not know of.
    return found && { ...found, steps: found.steps ?? [] };
  } catch {
    return null;
  }
}

/** As the client of the other screens, but a lost session must not lead away from what waits. */
async function ask(path: string, init: RequestInit = {}): Promise<Response | null> {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    return await fetch(ROOT + path, { credentials: 'same-origin', signal, ...init });
  } catch {
    return null;
  }
}

/** A step that is over has no draft any more. */
async function send(action: Action): Promise<Outcome> {
  const outcome = await post(action);
  const { action: what } = action.body as { action?: string };
  if (outcome.kind === 'done' && isEnding(what)) drafts.drop({ who: action.who, step: action.subject });
  return outcome;
}

async function post(action: Action): Promise<Outcome> {
  const answer = await ask(action.path, {
    method: action.method,
    body: JSON.stringify(action.body),
    headers: { 'content-type': 'application/json', 'idempotency-key': action.key },
  });
  if (answer === null) return { kind: 'unreachable' };
  const said = (await answer.json().catch(() => ({}))) as Record<string, string>;
  const why = [said['title'], said['detail']].filter(Boolean).join(': ');
  return outcomeOf(answer.status, said['code'] ?? '', why || answer.statusText);
}

class DutyState {
  known = $state.raw<Known | null>(stored());
  link = $state<Link>('connecting');
  queue = $state.raw<Action[]>([]);

  private readonly waiting = new Queue(localStorage, send, (all) => (this.queue = all));

  constructor() {
    this.queue = this.waiting.all();
  }

  get mine(): Action[] {
    return this.queue.filter((one) => one.who === this.known?.page.person);
  }

  /** Whether something about this waits to be sent. */
  waits(subject: string): boolean {
    return this.mine.some((one) => one.subject === subject && one.state === 'waiting');
  }

  draftOf(of: DutyStep): DraftOf {
    const who = this.known?.page.person ?? '';
    return { who, step: stepSubject(of), opened_at: of.state.opened_at };
  }

  /** Call once; the answer ends it. */
  start(): () => void {
    const wake = (): void => void this.load();
    void this.load();
    const timer = setInterval(wake, EVERY_MS);
    addEventListener('online', wake);
    addEventListener('offline', this.lose);
    document.addEventListener('visibilitychange', wake);
    return () => {
      clearInterval(timer);
      removeEventListener('online', wake);
      removeEventListener('offline', this.lose);
      document.removeEventListener('visibilitychange', wake);
    };
  }

  act(subject: string, label: string, request: Pick<Action, 'method' | 'path' | 'body'>): void {
    const who = this.known?.page.person;
    if (!who) return;
    const key = newKey();
    this.waiting.add({ key, who, subject, label, at: Date.now(), ...request });
    void this.load();
  }

  /** A photo for a step goes up at once: pictures are too large to wait in the browser. Gives its
   * number in the record, or why it has none. */
  async sendPhoto(of: DutyStep, file: File): Promise<number | string> {
    const query = new URLSearchParams({ name: file.name, run: String(of.run), step: of.step.id });
    const init = { method: 'POST', body: file, headers: { 'content-type': 'application/octet-stream' } };
    const signal = AbortSignal.timeout(PHOTO_PATIENCE_MS);
    const answer = await ask(`/incidents/${of.incident}/files?${query}`, { ...init, signal });
    const said = (await answer?.json().catch(() => null)) as PhotoAnswer | null | undefined;
    if (!answer?.ok || !said?.files) return said?.detail ?? '';
    return said.files.filter((one) => one.name === file.name).at(-1)?.number ?? '';
  }

  drop(key: string): void {
    this.waiting.drop(key);
  }

  private readonly lose = (): void => {
    if (this.link !== 'signed_out') this.link = 'offline';
  };

  /** First send what waits, then read: so the lists do not step back. */
  async load(): Promise<void> {
    if (document.hidden) return;
    const page = await this.read<Page>('/duty');
    if (page === null) return;
    const before = this.known;
    if (before?.page.person !== page.person) this.keep({ at: Date.now(), page, alarms: [], steps: [] });
    const sent = await this.waiting.flush(page.person);
    const found = await this.read<{ items: AlarmView[] }>('/alarms?limit=100');
    const steps = await this.read<DutyStep[]>('/duty/steps');
    if (found === null || steps === null) return;
    const now = sent === null ? page : ((await this.read<Page>('/duty')) ?? page);
    this.keep({ at: Date.now(), page: now, alarms: found.items, steps });
    this.link = 'online';
  }

  private async read<T>(path: string): Promise<T | null> {
    const answer = await ask(path);
    if (answer?.ok) return (await answer.json()) as T;
    this.link = answer?.status === 401 ? 'signed_out' : 'offline';
    return null;
  }

  private keep(known: Known): void {
    this.known = known;
    localStorage.setItem(NAME, JSON.stringify(known));
  }
}

/** crypto.randomUUID is there only with HTTPS. */
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

export const duty = new DutyState();
