/** The part of the URL that says what is asked for, and the NGSI-LD question that follows. Pure. */

import type { Query } from '../../api/client';
import type { Box } from '../../parts/map/live_map';

export const PAGE_SIZE = 100;

export interface Filter {
  type: string;
  q: string;
  id: string;
  idPattern: string;
  scope: string;
  box: Box | null;
}

export const NO_FILTER: Filter = { type: '', q: '', id: '', idPattern: '', scope: '', box: null };

/** Digits of a degree that hold a metre: what the map is asked with is what the URL says. */
const DIGITS = 5;

/** `box=west,south,east,north`; null: no such box. */
export function parseBox(text: string | null): Box | null {
  const [west, south, east, north] = (text ?? '').split(',').map(Number);
  if (west === undefined || south === undefined || east === undefined || north === undefined) return null;
  if (![west, south, east, north].every(Number.isFinite)) return null;
  if (Math.abs(south) > 90 || Math.abs(north) > 90 || Math.abs(west) > 180 || Math.abs(east) > 180)
    return null;
  return west < east && south < north ? { west, south, east, north } : null;
}

export function boxText({ west, south, east, north }: Box): string {
  const within = (x: number, most: number) => Math.max(-most, Math.min(most, x)).toFixed(DIGITS);
  return [within(west, 180), within(south, 90), within(east, 180), within(north, 90)].join(',');
}

export function parseFilter(params: URLSearchParams): Filter {
  const read = (name: string) => params.get(name) ?? '';
  return {
    type: read('type'),
    q: read('q'),
    id: read('id'),
    idPattern: read('idPattern'),
    scope: read('scope'),
    box: parseBox(params.get('box')),
  };
}

/** Page numbers count from 1. */
export function parsePage(text: string | null): number {
  const page = Number(text ?? '1');
  return Number.isInteger(page) && page > 0 ? page : 1;
}

export function isFiltering(filter: Filter): boolean {
  const { type, q, id, idPattern, scope, box } = filter;
  return [type, q, id, idPattern, scope].some((x) => x !== '') || box !== null;
}

/** Parameters of GET /entities; `local` keeps a question without any filter from being too wide. */
export function questionOf(filter: Filter): Query {
  const { type, q, id, idPattern, scope, box } = filter;
  const query: Query = { type, id, idPattern, q, scopeQ: scope, local: 'true' };
  if (box) {
    const { west, south, east, north } = box;
    const ring = [[west, south], [east, south], [east, north], [west, north], [west, south]];
    query['georel'] = 'within';
    query['geometry'] = 'Polygon';
    query['coordinates'] = JSON.stringify([ring]);
  }
  return query;
}

/** Results up to here can be put in order: the hub has to look at all of them for it. */
export const MOST_SORTED = 10_000;

/** `sort=pm25`, `sort=-pm25` (descending) as parameters of GET /entities. */
export function orderOf(sort: string | null): Query {
  if (!sort) return {};
  const isDescending = sort.startsWith('-');
  const name = isDescending ? sort.slice(1) : sort;
  // Names of people and places in the order of the Vietnamese alphabet.
  return { orderBy: `${name};${isDescending ? 'desc' : 'asc'}`, collation: 'vi' };
}

/** What a click on the head of a column asks for: first up, then down, then no order. */
export function nextSort(sort: string | null, name: string): string | null {
  if (sort === name) return `-${name}`;
  return sort === `-${name}` ? null : name;
}

/** `cols=a,b`: attributes shown as columns; null: not chosen, `cols=`: none. */
export function parseColumns(text: string | null): string[] | null {
  return text === null ? null : text.split(',').filter(Boolean);
}
