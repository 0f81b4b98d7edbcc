/** What the list of alarms shows: between the address, the question and what was used last: pure. */

import type { Query } from '../../api/client';

export const COLUMNS = ['priority', 'raised_at', 'place', 'text', 'state', 'owner'] as const;
export type Column = (typeof COLUMNS)[number];
export const STATES = ['open', 'waiting', 'active_acknowledged', 'normal', 'all'] as const;
export type StateFilter = (typeof STATES)[number];
export const PAGE = 50;

/** Filters that are remembered on this machine; the page is not. */
const KEPT = ['state', 'p', 'kept', 'domain', 'q', 'sort', 'owner', 'area', 'since'] as const;
const KEY = 'dothi.alarms.filters';

export interface Order {
  column: Column;
  isDescending: boolean;
}

export function parseOrder(text: string | null): Order {
  const name = (text ?? '').replace(/^-/, '') as Column;
  if (!COLUMNS.includes(name)) return { column: 'priority', isDescending: false };
  return { column: name, isDescending: text?.startsWith('-') ?? false };
}

export function parsePriorities(text: string | null): number[] {
  return (text ?? '').split(',').map(Number).filter((n) => n >= 1 && n <= 4);
}

export function parseState(text: string | null): StateFilter {
  return STATES.includes(text as StateFilter) ? (text as StateFilter) : 'open';
}

function statesOf(filter: StateFilter): string[] {
  if (filter === 'waiting') return ['active_unacknowledged', 'returned_unacknowledged'];
  return [filter];
}

/** The question for the hub. */
export function queryOf(params: URLSearchParams): Query {
  const { column, isDescending } = parseOrder(params.get('sort'));
  return {
    state: statesOf(parseState(params.get('state'))),
    priority: parsePriorities(params.get('p')).map(String),
    suppressed: params.get('kept') ?? 'no',
    domain: params.get('domain') ? [params.get('domain') as string] : [],
    text: params.get('q') ?? '',
    owner: params.get('owner') ?? '',
    area: params.get('area') ?? '',
    since: params.get('since') ?? '',
    sort: (isDescending ? '-' : '') + column,
  };
}

export function hasFilter(params: URLSearchParams): boolean {
  return KEPT.some((name) => name !== 'sort' && params.has(name));
}

export function remember(params: URLSearchParams): void {
  const kept = KEPT.flatMap((name) => (params.has(name) ? [[name, params.get(name) ?? '']] : []));
  localStorage.setItem(KEY, JSON.stringify(Object.fromEntries(kept)));
}

/** What was used last; nothing where it cannot be read. */
export function remembered(): Record<string, string> {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Record<string, unknown>;
    return Object.fromEntries(
      KEPT.flatMap((name) => (typeof found[name] === 'string' ? [[name, found[name]]] : [])),
    ) as Record<string, string>;
  } catch {
    return {};
  }
}

export const NO_FILTER: Record<string, null> = Object.fromEntries(
  [...KEPT, 'after'].map((name) => [name, null]),
);
