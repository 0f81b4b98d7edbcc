import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LiveConnection, type Hooks, type Link } from '../src/live/connection';

class FakeSocket {
  static made: FakeSocket[] = [];
  sent: string[] = [];
  isClosed = false;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;

  constructor(readonly url: string) {
    FakeSocket.made.push(this);
  }
  send(text: string): void {
    this.sent.push(text);
  }
  close(): void {
    this.isClosed = true;
    this.onclose?.();
  }
}

class FakeEvents {
  static made: FakeEvents[] = [];
  onmessage: ((event: { data: string }) => void) | null = null;
  onerror: (() => void) | null = null;
  constructor(readonly url: string) {
    FakeEvents.made.push(this);
  }
  close(): void {}
}

const BEAT = JSON.stringify({ kind: 'beat', n: 1, at: '' });

describe('the live connection', () => {
  let links: Link[];
  let refused: number;
  let isFitting: boolean;
  let connection: LiveConnection;

  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal('WebSocket', FakeSocket);
    vi.stubGlobal('EventSource', FakeEvents);
    FakeSocket.made = [];
    FakeEvents.made = [];
    links = [];
    refused = 0;
    isFitting = true;
    const hooks: Hooks = {
      resume: () => ({ resume: 4, epoch: 'e' }),
      take: () => isFitting,
      refused: () => (refused += 1),
      link: (link) => links.at(-1) !== link && links.push(link),
    };
    connection = new LiveConnection('http://hub', hooks);
    connection.open();
  });

  afterEach(() => {
    connection.close();
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  const socket = () => FakeSocket.made.at(-1) as FakeSocket;

  it('says where it stands and is open with the first message', () => {
    expect(socket().url).toBe('ws://hub/api/v1/live');
    socket().onopen?.();
    expect(JSON.parse(socket().sent[0] as string)).toEqual({ resume: 4, epoch: 'e' });
    expect(links).toEqual([]);
    socket().onmessage?.({ data: BEAT });
    expect(links).toEqual(['open']);
  });

  it('is lost within 5 s of silence, and open again with the next message', () => {
    socket().onmessage?.({ data: BEAT });
    vi.advanceTimersByTime(4000);
    expect(links).toEqual(['open']);
    vi.advanceTimersByTime(1000);
    expect(links).toEqual(['open', 'lost']);
    socket().onmessage?.({ data: BEAT });
    expect(links.at(-1)).toBe('open');
  });

  it('waits for the picture of a large store, but not for a socket that never opens', () => {
    socket().onopen?.();
    vi.advanceTimersByTime(50_000);
    expect(FakeSocket.made.length).toBe(1);
    expect(links).toEqual([]);
    socket().onmessage?.({ data: BEAT });
    expect(links).toEqual(['open']);
    socket().close();
    vi.advanceTimersByTime(12_000);
    expect(FakeSocket.made.length).toBe(3);
  });

  it('is lost at once when the socket closes, and connects again', () => {
    socket().onmessage?.({ data: BEAT });
    socket().close();
    expect(links.at(-1)).toBe('lost');
    vi.advanceTimersByTime(1000);
    expect(FakeSocket.made.length).toBe(2);
    expect(refused).toBe(0);
  });

  it('connects anew when a message does not follow', () => {
    isFitting = false;
    socket().onmessage?.({ data: BEAT });
    expect(socket().isClosed).toBe(true);
    vi.advanceTimersByTime(1000);
    expect(FakeSocket.made.length).toBe(2);
  });

  it('falls back to server-sent events where sockets never open', () => {
    for (let i = 0; i < 3; i++) {
      socket().close();
      vi.advanceTimersByTime(3_000);
    }
    expect(refused).toBe(3);
    expect(FakeEvents.made[0]?.url).toBe('http://hub/api/v1/live/sse?resume=4&epoch=e');
    FakeEvents.made[0]?.onmessage?.({ data: BEAT });
    expect(links.at(-1)).toBe('open');
  });
});
