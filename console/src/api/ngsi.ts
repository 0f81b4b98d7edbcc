/** Calls to the public NGSI-LD API (ETSI GS CIM 009): what any other client of the hub can ask too. */

import { ApiError, queryText, request, type Query } from './client';

const ROOT = '/ngsi-ld/v1';

/** An entity as the API writes it: id, type, scope and its attributes under their names. */
export interface NgsiEntity {
  id: string;
  type: string | string[];
  [name: string]: unknown;
}

export interface NgsiType {
  typeName: string;
  attributeNames: string[];
}

export const REPRESENTATIONS = ['normalized', 'concise', 'simplified', 'geojson'] as const;
export type Representation = (typeof REPRESENTATIONS)[number];

export interface NgsiPage {
  entities: NgsiEntity[];
  hasNext: boolean;
}

/** Nobody has this id: a question that names it costs nothing and is checked all the same. */
const NOBODY = 'urn:ngsi-ld:dothi:nobody';

function get(path: string, query: Query, signal?: AbortSignal, accept = 'application/json') {
  return request(ROOT + path + queryText(query), { signal: signal ?? null, headers: { accept } });
}

/** The `options` member: the representation, with the system attributes or without. */
function optionsOf(representation: Representation, hasSystem: boolean): string {
  const format = representation === 'geojson' ? 'normalized' : representation;
  return hasSystem ? `${format},sysAttrs` : format;
}

export const ngsi = {
  /** Every type with the names of its attributes (clause 5.7.5 and 5.7.6). */
  async types(signal?: AbortSignal): Promise<NgsiType[]> {
    return (await (await get('/types', { details: 'true', local: 'true' }, signal)).json()) as NgsiType[];
  },

  /** How many entities match. */
  async count(query: Query, signal?: AbortSignal): Promise<number> {
    const answer = await get('/entities', { ...query, limit: 0, count: 'true' }, signal);
    return Number(answer.headers.get('NGSILD-Results-Count'));
  },

  /** One page, with the system attributes. */
  async page(query: Query, limit: number, offset: number, signal?: AbortSignal): Promise<NgsiPage> {
    const options = optionsOf('normalized', true);
    const answer = await get('/entities', { ...query, options, limit, offset }, signal);
    const hasNext = /rel="?next"?/.test(answer.headers.get('link') ?? '');
    return { entities: (await answer.json()) as NgsiEntity[], hasNext };
  },

  /** What is wrong with the question, in the hub's words; '': nothing. */
  async check(query: Query, signal?: AbortSignal): Promise<string> {
    try {
      await get('/entities', { ...query, id: query['id'] || NOBODY, limit: 1 }, signal);
      return '';
    } catch (error) {
      if (error instanceof ApiError && error.status === 400) return error.detail;
      throw error;
    }
  },

  /** One entity as text, exactly as the hub writes it. */
  async text(
    id: string,
    representation: Representation,
    hasSystem: boolean,
    signal?: AbortSignal,
  ): Promise<string> {
    const accept = representation === 'geojson' ? 'application/geo+json' : 'application/json';
    const query = { options: optionsOf(representation, hasSystem), local: 'true' };
    return (await get(`/entities/${encodeURIComponent(id)}`, query, signal, accept)).text();
  },

  async entity(id: string, signal?: AbortSignal): Promise<NgsiEntity> {
    return JSON.parse(await ngsi.text(id, 'normalized', true, signal)) as NgsiEntity;
  },

  /** The latest instances of one attribute (clause 5.7.3), by the time that its values have. */
  async history(
    id: string,
    attribute: string,
    timeproperty: 'observedAt' | 'modifiedAt',
    lastN: number,
    signal?: AbortSignal,
  ): Promise<unknown[]> {
    const query = { attrs: attribute, lastN, timeproperty, options: 'sysAttrs', local: 'true' };
    const answer = await get(`/temporal/entities/${encodeURIComponent(id)}`, query, signal);
    const found = ((await answer.json()) as NgsiEntity)[attribute];
    if (found === undefined) return [];
    return Array.isArray(found) ? found : [found];
  },
};
