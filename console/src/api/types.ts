/** Shapes of docs/reference/http-api.md. */

import type { AlarmView } from './alarms';

export type Origin = 'measured' | 'replayed' | 'simulated';
export type SourceState = 'live' | 'late' | 'silent' | 'never';

export interface Value {
  attribute: string;
  dataset: string;
  kind: number;
  number: number | null;
  text: string | null;
  body: string | null;
  unit: string | null;
  /** RFC 3339, UTC; null: a value without a time of its own. */
  observed_at: string | null;
  modified_at: string | null;
  /** 1 good … 9 missing; null: never assessed. */
  quality: number | null;
  source: string | null;
  stale_after_s: number | null;
}

export interface EntityView {
  id: string;
  name: string | null;
  types: string[];
  scope: string[];
  lon: number | null;
  lat: number | null;
  origin: Origin;
  /** English; origin_note_vi is the same in Vietnamese, empty: show this one. */
  origin_note: string;
  origin_note_vi: string;
  values: Value[];
}

export interface SourceView {
  id: string;
  name: string;
  kind: string;
  owner: string;
  origin: Origin;
  origin_note: string;
  origin_note_vi: string;
  cadence_s: number | null;
  licence: string;
  is_enabled: boolean;
  /** A gateway: it may write series that belong to other sources. */
  may_write_others: boolean;
  state: SourceState;
  received: number;
  stored: number;
  rejected: number;
  duplicate: number;
  per_minute: number;
  delay_ms: number | null;
  last_received_at: string | null;
  last_observed_at: string | null;
}

export interface SubscriptionState {
  id: string;
  name: string;
  /** What it is about, in short. */
  about: string;
  endpoint: string;
  status: 'active' | 'paused' | 'expired';
  delivery: '' | 'ok' | 'failed';
  created_at: string;
  /** Notifications that are not delivered yet. */
  waiting: number;
  /** The receiver failed so often that it is tried rarely. */
  is_down: boolean;
  times_sent: number;
  times_failed: number;
  last_notification_at: string | null;
  last_success_at: string | null;
  last_failure_at: string | null;
  last_error: string;
}

export interface Layer {
  id: string;
  title: { vi: string; en: string };
  types: string[];
  attribute: string;
  domain: string;
  unit: string | null;
}

export interface Me {
  /** Of a person the id. */
  name: string;
  /** The name that people read. */
  title: string;
  positions: string[];
  permissions: string[];
  version: string;
  mode: 'example' | 'normal' | 'drill';
}

export interface AreaView {
  id: string;
  level: string;
  name: string;
  name_en: string;
  valid_from: string;
  valid_to: string | null;
}

export interface EntityPage extends EntityView {
  areas: AreaView[];
  former_areas: AreaView[];
  sources: SourceView[];
}

export interface SeriesView {
  entity: string;
  attribute: string;
  dataset: string;
  unit: string | null;
  t: number[];
  v: (number | string | null)[];
  q: number[];
}

export interface RevisionSeries extends SeriesView {
  revision: number[];
  committed: number[];
  source: string[];
}

export interface AggregateView {
  entity: string;
  attribute: string;
  dataset: string;
  start: number[];
  end: number[];
  [fn: string]: unknown;
}

export interface ReceiptMinute {
  minute_at: string;
  received: number;
  stored: number;
  rejected: number;
  duplicate: number;
  delay_ms: number | null;
}

export interface RejectItem {
  received_at: string;
  reason: string;
  detail: string;
  sample: string;
  count: number;
}

/** A pull connector; times are null before its first run. */
export interface Pull {
  connector: string;
  source: string;
  failures: number;
  /** Of the last run; '' when it was good. */
  last_error: string;
  last_run_at: string | null;
  next_run_at: string | null;
  covered_to_at: string | null;
}

export interface Snapshot {
  kind: 'snapshot';
  n: number;
  epoch: string;
  at: string;
  entities: EntityView[];
  sources: SourceView[];
  alarms?: AlarmView[];
}

export interface Delta {
  kind: 'delta';
  n: number;
  /** The number it follows: n - 1, or less when several deltas became one. */
  after: number;
  at: string;
  values: [string, Value][];
  entities: EntityView[];
  gone: string[];
  sources: SourceView[];
  alarms?: AlarmView[];
  alarms_closed?: number[];
}

export interface Beat {
  kind: 'beat';
  n: number;
  at: string;
}

export type LiveMessage = Snapshot | Delta | Beat;
