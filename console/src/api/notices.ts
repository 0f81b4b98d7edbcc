/** Notices to people, channels and preferences of /api/v1. */

import { get, queryText, send, type Query } from './client';

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

const ROOT = '/notices';

export const noticesApi = {
  page: (query: Query) => get<NoticePage>(ROOT + queryText(query)),
  one: (number: number, language: string) =>
    get<NoticeDetail>(`${ROOT}/${number}${queryText({ language })}`),
  answer: (number: number, text: string) =>
    send<NoticeDetail>('POST', `${ROOT}/${number}/answer`, { text }),
  test: () => send<NoticeDetail>('POST', ROOT + '/test'),
  channels: () =>
    get<{ channels: ChannelHealth[]; is_capturing: boolean }>(ROOT + '/channels'),
  preferences: () => get<Preferences>(ROOT + '/preferences'),
  savePreferences: (body: PreferenceBody) => send<Preferences>('PUT', ROOT + '/preferences', body),
  push: () => get<Push>(ROOT + '/push'),
  addPush: (body: unknown) => send<Push>('POST', ROOT + '/push', body),
  dropPush: (endpoint: string) => send<Push>('DELETE', ROOT + '/push', { endpoint }),
};
