/** People, roster and handovers of /api/v1. */

import { get, queryText, send, type Query } from './client';

export interface Person {
  id: string;
  name: string;
  positions: string[];
  language: 'vi' | 'en';
  is_active: boolean;
  /** null: not for the eyes of who asks. */
  contacts: Record<string, string> | null;
}

export interface Position {
  id: string;
  title_vi: string;
  title_en: string;
  permissions: string[];
  is_on_shift: boolean;
}

export interface Pattern {
  id: string;
  title_vi: string;
  title_en: string;
  starts: string[];
  hours: number | null;
}

export interface Shift {
  id: number;
  person: string;
  position: string;
  starts_at: string;
  ends_at: string;
  pattern: string;
  note: string;
  is_absent: boolean;
  is_rest_short: boolean;
}

export interface Absence {
  id: number;
  person: string;
  starts_at: string;
  ends_at: string;
  reason: string;
}

export interface Duty {
  id: number;
  person: string;
  position: string;
  began_at: string;
  ended_at: string | null;
  end_reason: string;
}

export interface Roster {
  shifts: Shift[];
  absences: Absence[];
  duties: Duty[];
  rest: { hours: number; source: string; valid_from: string; mark: string } | null;
}

export interface PositionNow {
  position: string;
  duties: Duty[];
  planned: Shift[];
  next: Shift | null;
}

export interface Now {
  at: string;
  positions: PositionNow[];
}

export interface OpenItem {
  kind: string;
  subject: string;
  title: string;
  state: string;
  since_at: string;
  detail: string;
  /** Empty: the same; sheets of before there were two languages have none. */
  title_en: string;
  detail_en: string;
}

export interface Handover {
  id: number;
  position: string;
  duty: number;
  outgoing: string;
  opened_at: string;
  revision: number;
  notes: string;
  digest: string;
  text: string;
  sheet: { duty_began_at: string; prepared_at: string; items: OpenItem[] } | null;
  outgoing_signed_at: string | null;
  incoming: string;
  incoming_signed_at: string | null;
  missing_reason: string;
  closed_at: string | null;
}

const one = encodeURIComponent;

export const peopleApi = {
  people: () => get<Person[]>('/people'),
  positions: () => get<Position[]>('/positions'),
  add: (body: unknown) => send<Person>('POST', '/people', body),
  change: (id: string, body: unknown) => send<Person>('PATCH', `/people/${one(id)}`, body),
  link: (id: string) =>
    send<{ path: string; expires_at: string }>('POST', `/people/${one(id)}/link`),
};

export const shiftsApi = {
  now: () => get<Now>('/shifts/now'),
  roster: (start: string, end: string) => get<Roster>('/shifts' + queryText({ start, end })),
  patterns: () => get<Pattern[]>('/shifts/patterns'),
  plan: (body: unknown) => send<Shift[]>('POST', '/shifts', body),
  reassign: (id: number, person: string, reason: string) =>
    send<Shift>('PATCH', `/shifts/${id}`, { person, reason }),
  cancel: (id: number, reason: string) => send<void>('POST', `/shifts/${id}/cancel`, { reason }),
  addAbsence: (body: unknown) => send<Absence>('POST', '/shifts/absences', body),
  removeAbsence: (id: number) => send<void>('DELETE', `/shifts/absences/${id}`),
  take: (position: string) => send<Duty>('POST', '/shifts/take', { position }),
  leave: (duty: number, reason: string) =>
    send<Duty>('POST', `/shifts/duties/${duty}/leave`, { reason }),
};

export const handoversApi = {
  latest: (query: Query = {}) => get<Handover[]>('/handovers' + queryText(query)),
  one: (id: number) => get<Handover>(`/handovers/${id}`),
  open: (duty: number) => send<Handover>('POST', '/handovers', { duty }),
  write: (id: number, notes: string, revision: number) =>
    send<Handover>('PUT', `/handovers/${id}/notes`, { notes, revision }),
  sign: (id: number, digest: string, missing_reason = '') =>
    send<Handover>('POST', `/handovers/${id}/sign`, { digest, missing_reason }),
  withdraw: (id: number) => send<Handover>('POST', `/handovers/${id}/withdraw`),
};
