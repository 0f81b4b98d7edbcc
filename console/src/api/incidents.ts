/** Incidents and procedures: shapes of /api/v1/incidents and calls to it. */

import { get, queryText, send, sendFile } from './client';

export type Severity = 1 | 2 | 3 | 4;
export type IncidentState = 'open' | 'in_progress' | 'contained' | 'closed';
export const STATES: IncidentState[] = ['open', 'in_progress', 'contained', 'closed'];
export const SEVERITIES: Severity[] = [1, 2, 3, 4];

export interface Words {
  vi: string;
  en: string;
}

export interface PlacePoint {
  lon: number;
  lat: number;
  label: string;
}

export interface Incident {
  id: number;
  version: number;
  title: string;
  severity: Severity;
  state: IncidentState;
  opened_at: string;
  opened_by: string;
  changed_at: string;
  description: string;
  commander: string;
  units: { name: string; at: string; how: string }[];
  points: PlacePoint[];
  closed_at: string | null;
  origin: string;
  /** Empty: a person wrote the title, in one language. */
  title_en: string;
}

export interface BoardRow {
  incident: Incident;
  alarms: number;
  links: number;
  open_tasks: number;
  next_due_at: string | null;
  overdue_steps: number;
  runs: number;
  last_entry_at: string;
}

export interface Entry {
  kind: string;
  text: string;
  by: string;
  at: string;
  happened_at: string;
  details: Record<string, unknown>;
  refers_to: number | null;
  number: number;
}

export interface Link {
  subject: string;
  title: string;
  title_en: string;
  by: string;
  at: string;
}

export interface Task {
  number: number;
  version: number;
  title: string;
  owner: string;
  state: 'open' | 'done' | 'dropped';
  created_at: string;
  created_by: string;
  due_at: string | null;
  ended_at: string | null;
  note: string;
}

export interface EvidenceFile {
  number: number;
  name: string;
  media_type: string;
  size_bytes: number;
  sha256: string;
  by: string;
  at: string;
}

export interface FormField {
  id: string;
  kind: 'text' | 'number' | 'choice' | 'checkbox' | 'time' | 'file';
  label: Words;
  is_required: boolean;
  unit: string;
  least: number | null;
  most: number | null;
  choices: { id: string; label: Words }[];
}

export interface Step {
  id: string;
  title: Words;
  text: Words;
  role: string;
  fields: FormField[];
  limit: { kind: string; amount: number; text: string } | null;
  limit_source: string;
  pause_reasons: { id: string; label: Words; source: string }[];
}

export interface Procedure {
  id: string;
  version: number;
  title: Words;
  purpose: Words;
  source: string;
  is_example: boolean;
  first: string;
  starts: { rule: string; entity_type: string; area: string; is_automatic: boolean }[];
  steps: Record<string, Step>;
}

export interface StepRun {
  step: string;
  state: 'waiting' | 'open' | 'paused' | 'done' | 'skipped';
  version: number;
  opened_at: string | null;
  due_at: string | null;
  ended_at: string | null;
  by: string;
  answers: Record<string, unknown>;
  note: string;
  pauses: { reason: string; from_at: string; to_at: string | null; by: string }[];
  escalated: number;
}

export interface Run {
  number: number;
  procedure: string;
  version: number;
  state: 'running' | 'done' | 'ended';
  started_at: string;
  started_by: string;
  steps: StepRun[];
  cause: string;
  reason: string;
}

export interface RunView {
  run: Run;
  procedure: Procedure;
}

export interface WarningNote {
  subject: string;
  title: string;
  title_en: string;
  kind: 'Alert' | 'Update' | 'Cancel';
  state: 'draft' | 'submitted' | 'released' | 'discarded';
  at: string;
  by: string;
}

export interface Room {
  incident: Incident;
  entries: Entry[];
  links: Link[];
  tasks: Task[];
  files: EvidenceFile[];
  runs: RunView[];
  proposals: { procedure: Procedure; cause: string }[];
  warnings: WarningNote[];
  now_at: string;
}

/** A procedure that a standing alarm calls for. */
export interface Called {
  alarm: string;
  alarm_title: string;
  /** Empty: as `alarm_title`. */
  alarm_title_en: string;
  entity: string;
  priority: number;
  raised_at: string;
  procedure: string;
  title: Words;
  is_example: boolean;
  is_automatic: boolean;
}

const ROOT = '/incidents';
const BASE = `/api/v1${ROOT}`;

export const incidents = {
  board: () => get<{ items: BoardRow[]; next: number | null }>(`${ROOT}?limit=500`),
  room: (id: number) => get<Room>(`${ROOT}/${id}`),
  open: (body: unknown) => send<Room>('POST', ROOT, body),
  edit: (id: number, body: unknown, version: number) => send<Room>('PATCH', `${ROOT}/${id}`, body, { version }),
  move: (id: number, body: unknown, version: number) =>
    send<Room>('POST', `${ROOT}/${id}/state`, body, { version }),
  write: (id: number, body: unknown) => send<Room>('POST', `${ROOT}/${id}/entries`, body),
  inform: (id: number, body: unknown) => send<Room>('POST', `${ROOT}/${id}/informed`, body),
  link: (id: number, subjects: { subject: string; title: string; title_en?: string }[]) =>
    send<Room>('POST', `${ROOT}/${id}/links`, { subjects }),
  unlink: (id: number, body: unknown) => send<Room>('POST', `${ROOT}/${id}/unlink`, body),
  addTask: (id: number, body: unknown) => send<Room>('POST', `${ROOT}/${id}/tasks`, body),
  changeTask: (id: number, task: Task, body: unknown) =>
    send<Room>('PATCH', `${ROOT}/${id}/tasks/${task.number}`, body, { version: task.version }),
  start: (id: number, procedure: string, cause = '') =>
    send<Room>('POST', `${ROOT}/${id}/runs`, { procedure, cause }),
  act: (id: number, run: number, step: StepRun, body: unknown) =>
    send<Room>('POST', `${ROOT}/${id}/runs/${run}/steps/${step.step}`, body, { version: step.version }),
  end: (id: number, run: number, reason: string) =>
    send<Room>('POST', `${ROOT}/${id}/runs/${run}/end`, { reason }),
  upload: (id: number, file: File, query: Record<string, string>) =>
    sendFile<Room>(`${ROOT}/${id}/files${queryText({ name: file.name, ...query })}`, file),
  proposals: (alarm: string | null) =>
    get<Called[]>(`/procedure-proposals${alarm === null ? '' : `?alarm=${alarm}`}`),
  fileUrl: (id: number, file: number) => `${BASE}/${id}/files/${file}`,
  reportUrl: (id: number, lang: string, format: string) =>
    `${BASE}/${id}/report?lang=${lang}&format=${format}`,
};

/** What of an alarm a new incident is made from. */
export interface AlarmFacts {
  title: string;
  title_en: string;
  priority: number;
  name: string;
}

export async function alarmFacts(id: string): Promise<AlarmFacts> {
  const found = await get<{
    alarm: Omit<AlarmFacts, 'name'> & { place: string; entity: string };
  }>(`/alarms/${encodeURIComponent(id)}`);
  const { title, title_en, priority, place, entity } = found.alarm;
  return { title, title_en, priority, name: place || entity };
}
