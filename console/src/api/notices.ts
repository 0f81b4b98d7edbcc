/** Notices to people, channels and preferences of /api/v1. */

import { queryText, request, type Query } from './client';

export type NoticeState = 'new' | 'told' | 'nobody' | 'answered' | 'unanswered';
export type DeliveryState =
  | 'reserve'
  | 'waiting'
  | 'accepted'
  | 'delivered'
  | 'failed'
  | 'spared'
  | 'captured';

export interface NoticeDelivery {
  number: number;
  person: string;
  name: string;
  channel: string;
  /** Masked. */
  address: string;
  state: DeliveryState;
  attempts: number;
  due_at: string;
  changed_at: string;
  detail: string;
}

export interface NoticeItem {
  number: number;
  id: string;
  kind: string;
  title: string;
  at: string;
  priority: number;
  /** As alarm:12. */
  subject: string;
  state: NoticeState;
  told: string[];
  next_at: string | null;
  answered_at: string | null;
  answered_by: string;
  answer: string;
  deliveries: NoticeDelivery[];
}

export interface NoticePage {
  items: NoticeItem[];
  next: number | null;
  /** Nothing is sent: what would have been is kept. */
  is_capturing: boolean;
}

export interface NoticeDetail extends NoticeItem {
  receipts: { at: string; state: string; detail: string; delivery: number | null }[];
  sent: { delivery: number; title: string; text: string }[];
}

export interface ChannelHealth {
  name: string;
  contact: string;
  is_down: boolean;
  waiting: number;
  oldest_at: string | null;
  accepted: number;
  failed: number;
  retried: number;
  last_success_at: string | null;
  last_failure_at: string | null;
  last_error: string;
}

export interface QuietHours {
  begins: string;
  ends: string;
  weekdays: number[];
}

export interface PreferenceBody {
  least_priority: number;
  kinds: string[];
  quiet: QuietHours[];
  language: '' | 'vi' | 'en';
  channels: string[];
  is_told_off_duty: boolean;
}

export interface Preferences extends PreferenceBody {
  person: string;
  /** False: not among the people of the centre. */
  is_known: boolean;
  reachable: { channel: string; address: string }[];
  known_kinds: string[];
}

export interface Push {
  /** '': web push is off. */
  public_key: string;
  browsers: string[];
}

const ROOT = '/api/v1/notices';

async function send<T>(method: string, path: string, body?: unknown): Promise<T> {
  const init: RequestInit = { method };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { 'content-type': 'application/json' };
  }
  return (await (await request(ROOT + path, init)).json()) as T;
}

export const noticesApi = {
  page: (query: Query) => send<NoticePage>('GET', queryText(query)),
  one: (number: number, language: string) =>
    send<NoticeDetail>('GET', `/${number}${queryText({ language })}`),
  answer: (number: number, text: string) =>
    send<NoticeDetail>('POST', `/${number}/answer`, { text }),
  test: () => send<NoticeDetail>('POST', '/test'),
  channels: () =>
    send<{ channels: ChannelHealth[]; is_capturing: boolean }>('GET', '/channels'),
  preferences: () => send<Preferences>('GET', '/preferences'),
  savePreferences: (body: PreferenceBody) => send<Preferences>('PUT', '/preferences', body),
  push: () => send<Push>('GET', '/push'),
  addPush: (body: unknown) => send<Push>('POST', '/push', body),
  dropPush: (endpoint: string) => send<Push>('DELETE', '/push', { endpoint }),
};
