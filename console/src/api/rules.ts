/** Rules: calls and shapes (src/dothi/api/rules.py). */

import { get, send } from './client';

export interface Words {
  vi?: string;
  en?: string;
}

export interface DatedLimit {
  table: string;
  level: string;
}

/** A condition as the API takes it; which fields it has follows from its kind. */
export interface Condition {
  kind: string;
  of?: Condition | Condition[];
  [field: string]: unknown;
}

export interface Rule {
  id: string;
  version: number;
  name: Words;
  scope: { types?: string[]; ids?: string[]; areas?: string[]; sources?: string[] };
  condition: Condition;
  priority: number;
  consequence: Words;
  response: Words;
  time_to_respond_s: number;
  on_delay_s: number;
  off_delay_s: number;
  is_latched: boolean;
  author: string;
  note: string;
  created_at: string | null;
  approved_by: string;
  approved_at: string | null;
}

export interface RuleState {
  id: string;
  is_enabled: boolean;
  in_force: number | null;
  draft: number | null;
  newest: Rule;
  approved: Rule | null;
  switched_by: string;
  switched_at: string | null;
}

export interface RuleVersions {
  state: RuleState;
  versions: Rule[];
}

export interface DatedValue {
  level: string;
  /** Empty: of all entities. */
  entity: string;
  /** null: the source gives no number. */
  value: number | null;
  valid_from: string;
  /** Exclusive; null: still. */
  valid_to: string | null;
  source: string;
  /** verified, unverified, or what a file says of it. */
  mark: string;
  added_by: string;
  added_at: string | null;
  ended_by: string;
  ended_at: string | null;
  end_reason: string;
  verified_by: string;
  verified_at: string | null;
}

export interface LimitTable {
  name: string;
  title: Words;
  unit: string;
  values: DatedValue[];
}

/** What tells the values of a table apart. */
export type LimitKey = Pick<DatedValue, 'level' | 'entity' | 'valid_from'>;

export interface Firing {
  entity: string;
  start_at: string;
  end_at: string | null;
  text: string;
  text_en: string;
  is_new: boolean;
}

export interface LimitLine {
  entity: string;
  attribute: string;
  figure: string;
  comparison: string;
  start_at: string;
  limit: number;
  source: string;
}

export interface BackTest {
  entities: number;
  rows: number;
  fired: number;
  new: number;
  active_s: number;
  longest_s: number;
  in_force_fired: number | null;
  by_entity: Record<string, number>;
  firings: Firing[];
  lines: LimitLine[];
}

export interface WhyNot {
  rule: Rule;
  reason: string;
  /** See screens/rules/terms.ts. */
  terms: unknown[];
  due_at: string | null;
  out_of: string[];
}

const ROOT = '/rules';
const id = encodeURIComponent;

const got = <T>(path: string, signal?: AbortSignal): Promise<T> => get<T>(ROOT + path, signal);
const sent = <T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> =>
  send<T>('POST', ROOT + path, body ?? {}, { signal });

export const rulesApi = {
  all: (signal?: AbortSignal) => got<RuleState[]>('', signal),
  one: (rule: string, signal?: AbortSignal) => got<RuleVersions>(`/${id(rule)}`, signal),
  limits: (signal?: AbortSignal) => got<LimitTable[]>('/limits', signal),
  newTable: (body: Pick<LimitTable, 'name' | 'title' | 'unit'>) => sent<LimitTable>('/limits', body),
  addLimit: (table: string, body: unknown) => sent<LimitTable>(`/limits/${id(table)}/values`, body),
  endLimit: (table: string, key: LimitKey, valid_to: string, reason: string) =>
    sent<LimitTable>(`/limits/${id(table)}/values/end`, { ...key, valid_to, reason }),
  verifyLimit: (table: string, key: LimitKey) =>
    sent<LimitTable>(`/limits/${id(table)}/values/verify`, key),
  draft: (rule: unknown) => sent<Rule>('', rule),
  approve: (rule: string, version: number) =>
    sent<RuleVersions>(`/${id(rule)}/versions/${version}/approve`, null),
  turn: (rule: string, isEnabled: boolean) =>
    sent<RuleVersions>(`/${id(rule)}/switch`, { is_enabled: isEnabled }),
  backTest: (body: unknown, signal?: AbortSignal) => sent<BackTest>('/back-test', body, signal),
  whyNot: (entity: string, at: string, signal?: AbortSignal) =>
    got<WhyNot[]>(`/why-not?${new URLSearchParams(at ? { entity, at } : { entity })}`, signal),
};
