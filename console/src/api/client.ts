/** Calls to /api/v1: JSON in, JSON out, problem documents as errors. */

import type {
  AggregateView,
  EntityPage,
  EntityView,
  Layer,
  Me,
  Pull,
  ReceiptMinute,
  RejectItem,
  RevisionSeries,
  SeriesView,
  SourceView,
  SubscriptionState,
} from './types';

const ROOT = '/api/v1';

/** An RFC 9457 problem document, or a failure to reach the hub (status 0). */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    readonly remedy: string,
    /** Stable, of the hub's problems; empty: no problem document. */
    readonly code = '',
  ) {
    super(`${title}: ${detail}`);
  }

  /** Whether the same question may be answered later: the hub is away or busy, or one signs in. */
  get mayPass(): boolean {
    return [0, 401, 429].includes(this.status) || this.status >= 500;
  }
}

let whenSignedOut: () => void = () => {};

/** Called whenever the hub answers 401. */
export function onSignedOut(action: () => void): void {
  whenSignedOut = action;
}

async function failure(answer: Response): Promise<ApiError> {
  const text = await answer.text();
  try {
    const p = JSON.parse(text) as Partial<Record<'title' | 'detail' | 'remedy' | 'code', string>>;
    return new ApiError(answer.status, p.title ?? '', p.detail ?? '', p.remedy ?? '', p.code ?? '');
  } catch {
    return new ApiError(answer.status, answer.statusText, text.slice(0, 300), '');
  }
}

/** A good answer of the hub, whichever API. Throws ApiError, or the abort. */
export async function request(url: string, init?: RequestInit): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(url, { credentials: 'same-origin', ...init });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError(0, 'unreachable', String(error), '');
  }
  if (answer.status === 401) whenSignedOut();
  if (!answer.ok) throw await failure(answer);
  return answer;
}

async function call<T>(path: string, init?: RequestInit): Promise<T> {
  const answer = await request(ROOT + path, init);
  if (answer.status === 204) return undefined as T;
  return (await answer.json()) as T;
}

/** What `/api/v1` + path answers. */
export function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return call<T>(path, { signal: signal ?? null });
}

export interface SendOptions {
  signal?: AbortSignal | undefined;
  /** Version that was seen: somebody else's change since is not overwritten. */
  version?: number | undefined;
}

export function send<T>(
  method: string,
  path: string,
  body?: unknown,
  { signal, version }: SendOptions = {},
): Promise<T> {
  const init: RequestInit = { method, signal: signal ?? null };
  const headers: Record<string, string> = {};
  if (version !== undefined) headers['if-match'] = `"${version}"`;
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    headers['content-type'] = 'application/json';
  }
  return call<T>(path, { ...init, headers });
}

/** The file as the plain body of a POST. */
export function sendFile<T>(path: string, file: File): Promise<T> {
  const headers = { 'content-type': file.type || 'application/octet-stream' };
  return call<T>(path, { method: 'POST', body: file, headers });
}

export type Query = Record<string, string | number | string[] | undefined>;

/** Query text; a list repeats its name, undefined and '' are left out. */
export function queryText(query: Query): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === '') continue;
    for (const one of Array.isArray(value) ? value : [value]) params.append(name, String(one));
  }
  const text = params.toString();
  return text ? `?${text}` : '';
}

const id = encodeURIComponent;

export const api = {
  me: () => call<Me>('/me'),
  logout: () => send<void>('POST', '/logout'),
  layers: () => call<Layer[]>('/layers'),
  entity: (entity: string, signal?: AbortSignal) =>
    get<EntityPage>(`/entities/${id(entity)}`, signal),
  entities: (query: Query) =>
    call<{ items: EntityView[]; next: string | null; total: number }>(`/entities${queryText(query)}`),
  series: (query: Query, signal?: AbortSignal) =>
    get<{ series: SeriesView[]; truncated: boolean }>(`/series${queryText(query)}`, signal),
  aggregate: (query: Query, signal?: AbortSignal) =>
    get<{ series: AggregateView[] }>(`/series/aggregate${queryText(query)}`, signal),
  revisions: (query: Query, signal?: AbortSignal) =>
    get<{ series: RevisionSeries[]; truncated: boolean }>(`/series/revisions${queryText(query)}`, signal),
  exportUrl: (query: Query) => `${ROOT}/series/export${queryText(query)}`,
  sources: () => call<SourceView[]>('/sources'),
  pulls: (signal?: AbortSignal) => get<Pull[]>('/pulls', signal),
  addSource: (body: unknown) => send<SourceView>('POST', '/sources', body),
  issueToken: (source: string) => send<{ token: string }>('POST', `/sources/${id(source)}/token`),
  revokeTokens: (source: string) =>
    send<{ revoked: number }>('DELETE', `/sources/${id(source)}/tokens`),
  releaseSeries: (source: string) =>
    send<{ released: number }>('POST', `/sources/${id(source)}/release`),
  subscriptions: (signal?: AbortSignal) =>
    get<SubscriptionState[]>('/subscriptions', signal),
  receipts: (source: string, query: Query, signal?: AbortSignal) =>
    get<{ minutes: ReceiptMinute[] }>(`/sources/${id(source)}/receipts${queryText(query)}`, signal),
  rejects: (source: string, limit: number, signal?: AbortSignal) =>
    get<{ items: RejectItem[]; reasons: Record<string, number> }>(
      `/sources/${id(source)}/rejects?limit=${limit}`,
      signal,
    ),
};
