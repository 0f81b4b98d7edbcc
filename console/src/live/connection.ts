/** Keeps one live connection open: WebSocket first, server-sent events where sockets are blocked. */

import type { LiveMessage } from '../api/types';

/** lost: closed, or nothing heard for SILENCE_MS; values on screen are no longer live. */
export type Link = 'connecting' | 'open' | 'lost';

export interface Hooks {
  /** What to ask for: the last number seen and its epoch, or nothing. */
  resume: () => { resume?: number; epoch?: string };
  /** False: the message does not follow; the picture is dropped and asked for anew. */
  take: (message: LiveMessage) => boolean;
  /** Before a new attempt after one that never opened (a chance to notice a lost session). */
  refused: () => void;
  link: (link: Link) => void;
}

/** Silence after which values are greyed; with the check below always within 5 s. */
export const SILENCE_MS = 4_400;
/** The picture of tens of thousands of entities takes the hub a while, once. */
const FIRST_MESSAGE_MS = 60_000;
const CHECK_MS = 500;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8_000;
const REFUSALS_BEFORE_SSE = 3;

export class LiveConnection {
  private socket: WebSocket | null = null;
  private events: EventSource | null = null;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private watch: ReturnType<typeof setInterval> | undefined;
  private waitMs = FIRST_WAIT_MS;
  private refusals = 0;
  private heardAt = 0;
  private isOpened = false;
  private isHeard = false;
  private wasEverHeard = false;
  private isClosed = true;

  constructor(
    private readonly root: string,
    private readonly hooks: Hooks,
  ) {}

  open(): void {
    this.isClosed = false;
    this.watch = setInterval(() => this.checkSilence(), CHECK_MS);
    this.connect();
  }

  close(): void {
    this.isClosed = true;
    clearInterval(this.watch);
    clearTimeout(this.retry);
    this.drop();
  }

  private connect(): void {
    this.isOpened = this.isHeard = false;
    this.heardAt = Date.now();
    if (this.refusals >= REFUSALS_BEFORE_SSE) this.connectEvents();
    else this.connectSocket();
  }

  private connectSocket(): void {
    const socket = new WebSocket(`${this.root.replace(/^http/, 'ws')}/api/v1/live`);
    this.socket = socket;
    socket.onopen = () => {
      this.isOpened = true;
      socket.send(JSON.stringify(this.hooks.resume()));
    };
    socket.onmessage = (event) => this.receive(String(event.data));
    socket.onclose = () => {
      if (this.socket === socket) this.lose();
    };
  }

  private connectEvents(): void {
    const where = new URLSearchParams(Object.entries(this.hooks.resume()).map(([k, v]) => [k, `${v}`]));
    const events = new EventSource(`${this.root}/api/v1/live/sse?${where}`);
    this.events = events;
    this.refusals = 0;
    events.onopen = () => (this.isOpened = true);
    events.onmessage = (event) => this.receive(String(event.data));
    events.onerror = () => {
      if (this.events === events) this.lose();
    };
  }

  private receive(data: string): void {
    this.heardAt = Date.now();
    if (!this.hooks.take(JSON.parse(data) as LiveMessage)) {
      this.lose();
      return;
    }
    this.isHeard = true;
    this.wasEverHeard = true;
    this.refusals = 0;
    this.waitMs = FIRST_WAIT_MS;
    this.hooks.link('open');
  }

  private checkSilence(): void {
    const silence = Date.now() - this.heardAt;
    if (!this.socket && !this.events) return;
    // Without a first message there is nothing yet that could be old.
    if (silence > SILENCE_MS && this.wasEverHeard) this.hooks.link('lost');
    const isWaiting = this.isOpened && !this.isHeard;
    if (silence > (isWaiting ? FIRST_MESSAGE_MS : 2 * SILENCE_MS)) this.lose();
  }

  private lose(): void {
    const wasHeard = this.isHeard;
    this.drop();
    if (this.isClosed) return;
    this.hooks.link('lost');
    if (!wasHeard) {
      this.refusals += 1;
      this.hooks.refused();
    }
    clearTimeout(this.retry);
    this.retry = setTimeout(() => this.connect(), this.waitMs * (0.75 + Math.random() / 2));
    this.waitMs = Math.min(this.waitMs * 2, LONGEST_WAIT_MS);
  }

  private drop(): void {
    const { socket, events } = this;
    this.socket = null;
    this.events = null;
    socket?.close();
    events?.close();
  }
}
