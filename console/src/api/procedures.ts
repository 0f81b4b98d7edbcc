/** Writing procedures: shapes of /api/v1/procedures and calls to it. The tables are the keys of the
 * TOML file. */

import { get, send } from './client';
import type { Procedure, Words } from './incidents';

export interface ChoiceTable {
  id: string;
  label: Words;
}

export type FieldKind = 'text' | 'number' | 'choice' | 'checkbox' | 'time' | 'file';
export const FIELD_KINDS: FieldKind[] = ['text', 'number', 'choice', 'checkbox', 'time', 'file'];

export interface FieldTable {
  id: string;
  kind: FieldKind;
  label: Words;
  required: boolean;
  unit: string;
  least: number | null;
  most: number | null;
  choices: ChoiceTable[];
}

export interface PauseTable {
  id: string;
  label: Words;
  source: string;
}

export interface EscalateTable {
  to: string[];
  after: string;
}

export const TESTS = ['is', 'is_not', 'at_least', 'below', 'any_of'] as const;
export type Test = (typeof TESTS)[number];

export interface NextTable {
  to: string[];
  field: string;
  is: string | boolean | number | null;
  is_not: string | boolean | number | null;
  at_least: number | null;
  below: number | null;
  any_of: string[] | null;
}

export interface StepTable {
  id: string;
  title: Words;
  text: Words;
  role: string;
  limit: string;
  limit_source: string;
  waits_for_all: boolean;
  field: FieldTable[];
  pause: PauseTable[];
  escalate: EscalateTable[];
  next: NextTable[];
}

export interface StartTable {
  rule: string;
  entity_type: string;
  area: string;
  least_urgent: number;
  automatic: boolean;
}

export interface ProcedureTable {
  id: string;
  version: number;
  title: Words;
  purpose: Words;
  first: string;
  source: string;
  is_example: boolean;
  priority: number;
  valid_from: string | null;
  start: StartTable[];
  step: StepTable[];
}

export interface StepClock {
  step: string;
  opens_at: string;
  due_at: string | null;
  is_calendar_known: boolean;
}

export interface Finding {
  words: Words;
  line: number | null;
  remedy: Words;
}

export interface Checked {
  text: string;
  table: ProcedureTable | null;
  finding: Finding | null;
  clocks: StepClock[];
}

export interface Version {
  procedure: Procedure;
  stored_at: string;
  stored_by: string;
  is_active: boolean;
  approved_by: string;
  approved_at: string | null;
}

/** A stored version that the hub cannot read: nothing starts it. */
export interface Unreadable {
  id: string;
  version: number;
  stored_at: string;
  stored_by: string;
  finding: Finding;
}

const ROOT = '/procedures';
const of = (id: string, version: number): string => `${ROOT}/${encodeURIComponent(id)}/${version}`;

export const proceduresApi = {
  all: () => get<Version[]>(ROOT),
  unreadable: () => get<Unreadable[]>(`${ROOT}/unreadable`),
  text: async (id: string, version: number) => (await get<{ text: string }>(of(id, version))).text,
  check: (body: { text?: string; table?: ProcedureTable; started_at: string | null }, signal?: AbortSignal) =>
    send<Checked>('POST', `${ROOT}/check`, body, { signal }),
  store: (text: string) => send<Procedure>('POST', ROOT, { text }),
  approve: (id: string, version: number) => send<Version[]>('POST', `${of(id, version)}/approve`),
  turn: (id: string, version: number, isActive: boolean) =>
    send<Version[]>('PATCH', of(id, version), { is_active: isActive }),
};

/** In use for new runs: of each the highest version that is approved and switched on. */
export function inUse(all: Version[]): Procedure[] {
  const found: Record<string, Procedure> = {};
  for (const one of all)
    if (one.is_active && one.approved_at !== null) found[one.procedure.id] ??= one.procedure;
  return Object.values(found);
}
