/** The record of who did what: /api/v1/audit. */

import { get, queryText, type Query } from './client';

export interface AuditEntry {
  seq: number;
  at: string;
  who: string;
  action: string;
  subject: string;
  detail: Record<string, string>;
  previous: string;
  digest: string;
}

export interface Verdict {
  entries: number;
  head: string;
  broken_at: number | null;
  why: string;
  first_at: string | null;
  last_at: string | null;
  checked_at: string;
}

export const auditApi = {
  page: (query: Query, signal?: AbortSignal) =>
    get<{ items: AuditEntry[]; next: number | null }>('/audit' + queryText(query), signal),
  people: () => get<string[]>('/audit/people'),
  verify: () => get<Verdict>('/audit/verify'),
  exportUrl: (query: Query, format: 'csv' | 'json') =>
    '/api/v1/audit/export' + queryText({ ...query, format }),
};
