/** Public warnings of /api/v1/warnings. */

import { get, queryText, send, sendFile } from './client';

export type CapStatus = 'Actual' | 'Exercise' | 'System' | 'Test' | 'Draft';
export type MsgType = 'Alert' | 'Update' | 'Cancel' | 'Ack' | 'Error';
export type WarningState = 'draft' | 'submitted' | 'active' | 'cancelled' | 'expired' | 'discarded';
export type MessageState = 'draft' | 'submitted' | 'released' | 'discarded';
export type Severity = 'Extreme' | 'Severe' | 'Moderate' | 'Minor' | 'Unknown';
export type Urgency = 'Immediate' | 'Expected' | 'Future' | 'Past' | 'Unknown';
export type Certainty = 'Observed' | 'Likely' | 'Possible' | 'Unlikely' | 'Unknown';
export type ResponseType =
  | 'Shelter' | 'Evacuate' | 'Prepare' | 'Execute' | 'Avoid' | 'Monitor' | 'Assess' | 'AllClear' | 'None';
export type LonLat = [number, number];

export interface Words {
  headline: string;
  description: string;
  instruction: string;
  audience: string;
}

export interface Shape {
  name_vi: string;
  name_en: string;
  polygon: LonLat[];
  centre: LonLat | null;
  radius_km: number;
}

export interface Content {
  event: string;
  status: CapStatus;
  scope: 'Public' | 'Restricted' | 'Private';
  restriction: string;
  addresses: string[];
  categories: string[];
  risk_level: number | null;
  urgency: Urgency;
  severity: Severity;
  certainty: Certainty;
  response_types: ResponseType[];
  effective_at: string | null;
  onset_at: string | null;
  expires_at: string | null;
  vi: Words;
  en: Words;
  area_ids: string[];
  shapes: Shape[];
  parameters: { name: string; value: string }[];
  web: string;
  contact: string;
  sms: string;
  broadcast: string;
  attachments: Attachment[];
}

/** A file that goes with a warning. */
export interface Attachment {
  name: string;
  mime_type: string;
  size_bytes: number;
  sha1: string;
  sha256: string;
  description_vi: string;
  description_en: string;
}

/** An Ack or Error to a message. */
export interface Answer {
  msg_type: MsgType;
  sender: string;
  identifier: string;
  sent_at: string;
  note: string;
  is_own: boolean;
  document: string;
}

export interface ForeignView {
  row: ForeignRow;
  document: string;
  answers: Answer[];
}

export interface WarningRow {
  id: number;
  subject: string;
  state: WarningState;
  status: CapStatus;
  event: string;
  headline: string;
  risk_level: number | null;
  severity: Severity;
  created_at: string;
  sent_at: string | null;
  expires_at: string | null;
  messages: number;
  open_type: MsgType | null;
  open_state: MessageState | null;
  author: string;
}

export interface MessageView {
  id: number;
  msg_type: MsgType;
  state: MessageState;
  version: number;
  content: Content;
  reason: string;
  author: string;
  editors: string[];
  created_at: string;
  submitted_by: string;
  submitted_at: string | null;
  released_by: string;
  sent_at: string | null;
  expires_at: string | null;
  identifier: string;
  document: string;
}

export interface RecordRow {
  at: string;
  person: string;
  step: 'created' | 'edited' | 'submitted' | 'returned' | 'released' | 'discarded';
  message: number;
  reason: string;
}

export interface WarningView {
  row: WarningRow;
  messages: MessageView[];
  record: RecordRow[];
  refusal: { code: RefusalCode; detail: string } | null;
  answers: Answer[];
}

export type RefusalCode =
  'not_submitted' | 'only_one_person' | 'not_a_person' | 'own_text' | 'own_submission';

export interface RiskLevel {
  level: number;
  colour_vi: string;
  colour_en: string;
  screen: string;
  severity: Severity;
  urgency: Urgency | null;
}

export interface WarnedEvent {
  code: string;
  vi: string;
  en: string;
  categories: string[];
  has_risk_level: boolean;
}

export interface Options {
  catalogue: {
    events: WarnedEvent[];
    risk: { title: string; legal_source: string; mark: string; levels: RiskLevel[] };
  };
  statuses: CapStatus[];
  sender: string;
  person: string;
}

export interface Finding {
  element: string;
  code: string;
  detail: string;
  remedy: string;
  level: 'error' | 'note';
}

export interface TextCount {
  text: string;
  encoding: 'GSM-7' | 'UCS-2';
  units: number;
  parts: number;
  per_part: number;
  most_units: number;
  is_too_long: boolean;
  missing: string[];
}

export interface PlaceSummary {
  name_vi: string;
  name_en: string;
  points: number;
  points_before: number;
  has_holes: boolean;
  outline: LonLat[][];
}

export interface Preview {
  findings: Finding[];
  is_fit: boolean;
  document: string;
  sms: TextCount;
  broadcast: TextCount;
  places: PlaceSummary[];
  surface_km2: number;
}

export interface ForeignRow {
  id: number;
  connector: string;
  sender: string;
  identifier: string;
  sent_at: string;
  status: CapStatus;
  msg_type: MsgType;
  event: string;
  headline: string;
  severity: Severity;
  area: string;
  entity: string;
  received_at: string;
  expires_at: string | null;
  replaced_by: MsgType | null;
  is_over: boolean;
}

const ROOT = '/warnings';

export type Action = 'submit' | 'return' | 'release' | 'discard';

/** Somebody outside who is handed released warnings; counts since the start. */
export interface Receiver {
  name: string;
  url: string;
  is_down: boolean;
  taken: number;
  given_up: number;
  last_success_at: string | null;
  last_error: string;
}

export const warningsApi = {
  all: () => get<WarningRow[]>(ROOT),
  options: () => get<Options>(ROOT + '/options'),
  one: (id: number) => get<WarningView>(`${ROOT}/${id}`),
  begin: (subject: string) => send<WarningView>('POST', ROOT, { subject }),
  preview: (content: Content, kind: MsgType, signal: AbortSignal) =>
    send<Preview>('POST', ROOT + '/preview', { content, msg_type: kind }, { signal }),
  save: (id: number, version: number, content: Content) =>
    send<WarningView>('PUT', `${ROOT}/${id}/draft`, { version, content }),
  act: (id: number, action: Action, version: number, reason = '') =>
    send<WarningView>('POST', `${ROOT}/${id}/${action}`, { version, reason }),
  follow: (id: number, kind: 'update' | 'cancel', reason: string) =>
    send<WarningView>('POST', `${ROOT}/${id}/${kind}`, { reason }),
  receivers: () => get<Receiver[]>(ROOT + '/receivers'),
  foreign: () => get<ForeignRow[]>(ROOT + '/foreign'),
  foreignOne: (id: number) => get<ForeignView>(`${ROOT}/foreign/${id}`),
  answerForeign: (id: number, msg_type: 'Ack' | 'Error', note: string) =>
    send<ForeignView>('POST', `${ROOT}/foreign/${id}/answer`, { msg_type, note }),
  upload: (file: File) => sendFile<Attachment>(`${ROOT}/files${queryText({ name: file.name })}`, file),
  fileUrl: (file: Attachment) => `/api/v1${ROOT}/files/${file.sha256}`,
};

export interface AreaFeature {
  properties: { id: string; level: string; code: string; name: string; name_en: string; parent: string | null };
  /** GeoJSON. */
  geometry: unknown;
}

export async function areasOf(level: string): Promise<AreaFeature[]> {
  return (await get<{ features: AreaFeature[] }>(`/areas?level=${encodeURIComponent(level)}`)).features;
}
