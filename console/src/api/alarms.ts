/** Alarms: shapes of docs/reference/http-api.md, and what people do to them. */

import { settings } from '../state/settings.svelte';
import { get, queryText, send, type Query } from './client';

export type AlarmState =
  | 'normal'
  | 'active_unacknowledged'
  | 'active_acknowledged'
  | 'returned_unacknowledged'
  | 'latched';
export type Suppressed = 'shelved' | 'by_design' | 'out_of_service';

export interface AlarmView {
  id: number;
  condition: string;
  rule: string;
  version: number;
  entity: string;
  entity_type: string;
  place: string;
  lon: number | null;
  lat: number | null;
  areas: string[];
  state: AlarmState;
  priority: 1 | 2 | 3 | 4;
  title: string;
  title_en: string;
  text: string;
  text_en: string;
  domain: string;
  position: string;
  raised_at: string;
  active_at: string;
  returned_at: string | null;
  acknowledged_at: string | null;
  acknowledged_by: string;
  closed_at: string | null;
  activations: number;
  suppressed: Suppressed[];
  owner: string;
  escalations: number;
  is_chattering: boolean;
  is_latching: boolean;
}

export interface AlarmCounts {
  unacknowledged: number;
  by_priority: [number, number, number, number];
  shelved: number;
  by_design: number;
  out_of_service: number;
  stale: number;
}

export interface AlarmPage {
  items: AlarmView[];
  next: string | null;
  counts: AlarmCounts;
}

export interface AlarmEntry {
  number: number;
  kind: string;
  at: string;
  stored_at: string;
  state: AlarmState;
  by: string;
  reason: string;
  detail: string;
  detail_en: string;
  is_announced: boolean;
  explanation: unknown;
  /** Decided again from its inputs; null: there is no explanation. */
  agrees: boolean | null;
}

export interface AlarmDetail {
  alarm: AlarmView;
  rule: {
    consequence: string;
    consequence_en: string;
    response: string;
    response_en: string;
    respond_within_s: number | null;
  };
  record: AlarmEntry[];
  explanation: unknown;
  series: { entity: string; attribute: string; dataset: string }[];
  history: AlarmView[];
  shelve_from_at: string;
  shelve_until_at: string;
  /** What keeps it from the operators now. */
  suppressions: Suppression[];
}

export type Cause = 'operator' | 'parent' | 'maintenance' | 'flood' | 'permit';

export interface Suppression {
  id: number;
  cause: Cause;
  by: string;
  reason: string;
  from_at: string;
  until_at: string | null;
  rule: string;
  entity: string;
  area: string;
  parent: string;
  least_urgent: number | null;
  permit: string;
  ended_at: string | null;
  ended_by: string;
  state: 'in_force' | 'planned' | 'ended';
  /** Open alarms that it keeps from the operators now. */
  alarms: number;
}

export type Verdict = 'acceptable' | 'manageable' | 'too_many';

export interface Rate {
  average: number;
  most: number | null;
  limits: { acceptable: number; manageable: number };
  verdict: Verdict;
}

export interface Proposal {
  kind: 'chattering' | 'frequent' | 'stale';
  condition: string;
  rule: string;
  entity: string;
  place: string;
  title: string;
  title_en: string;
  count: number;
  off_delay_s: number | null;
}

export interface Performance {
  start_at: string;
  end_at: string;
  position: string;
  figures: {
    announced: number;
    per_ten_minutes: Rate;
    per_hour: Rate;
    per_day: Rate;
    periods: number[];
    floods: number;
    flood_share_percent: number;
    frequent: { condition: string; count: number; share_percent: number }[];
    frequent_share_percent: number;
    mix_percent: [number, number, number, number];
  };
  limits: {
    source: string;
    mark: string;
    flood_alarms: number;
    flood_share_percent: number;
    mix_percent: { low: number; medium: number; high: number };
  };
  counts: AlarmCounts;
  stale: AlarmView[];
  shelved: Suppression[];
  named: Record<string, [string, string, string]>;
  proposals: Proposal[];
}

const ROOT = '/alarms';

const read = <T>(path: string, signal?: AbortSignal): Promise<T> => get<T>(ROOT + path, signal);
const post = <T>(path: string, body: unknown): Promise<T> => send<T>('POST', ROOT + path, body);

export const alarms = {
  page: (query: Query, signal?: AbortSignal) => read<AlarmPage>(queryText(query), signal),
  one: (id: string, signal?: AbortSignal) => read<AlarmDetail>(`/${encodeURIComponent(id)}`, signal),
  performance: (query: Query, signal?: AbortSignal) =>
    read<Performance>(`/performance${queryText(query)}`, signal),
  exportUrl: (query: Query) => `/api/v1${ROOT}/export${queryText(query)}`,
  /** Only as they were shown: one that became active again is refused. */
  acknowledge: (seen: AlarmView[], comment = '') =>
    post<AlarmView[]>('/acknowledge', {
      alarms: seen.map(({ id, activations }) => ({ id, activations })),
      comment,
    }),
  comment: (id: number, reason: string) => post<AlarmView>(`/${id}/comment`, { reason }),
  assign: (id: number, owner: string) => post<AlarmView>(`/${id}/assign`, { owner }),
  shelve: (id: number, until_at: string, reason: string) =>
    post<AlarmView>(`/${id}/shelve`, { until_at, reason }),
  unshelve: (id: number) => post<AlarmView>(`/${id}/unshelve`, {}),
  reset: (id: number) => post<AlarmView>(`/${id}/reset`, {}),
  suppressions: (endedSince = '') =>
    read<Suppression[]>(`/suppressions${queryText({ ended_since: endedSince })}`),
  suppress: (body: unknown) => post<Suppression>('/suppressions', body),
  endSuppression: (id: number, reason: string) =>
    post<Suppression>(`/suppressions/${id}/end`, { reason }),
};

export function needsPerson(alarm: AlarmView): boolean {
  return alarm.state === 'active_unacknowledged' || alarm.state === 'returned_unacknowledged';
}

/** The value against its limit, in the person's language, without the title, which stands beside it. */
export function againstLimit(
  of: Pick<AlarmView, 'title' | 'title_en' | 'text' | 'text_en'>,
): string {
  // A phone may still hold alarms that it kept before there were two languages.
  const isEnglish = settings.lang === 'en' && Boolean(of.text_en);
  const [title, text] = isEnglish ? [of.title_en, of.text_en] : [of.title, of.text];
  if (text === title) return '';
  const said = title && text.startsWith(`${title}: `) ? text.slice(title.length + 2) : text;
  // A number and its unit stay on one line.
  return said.replace(/(?<=\d) (?=[\p{L}µ°%])/gu, '\u00a0');
}

export function isActive(alarm: AlarmView): boolean {
  return alarm.state === 'active_unacknowledged' || alarm.state === 'active_acknowledged';
}
