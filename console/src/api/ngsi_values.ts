/** Normalized NGSI-LD to the shapes that the rest of the console shows. Pure. */

import type { NgsiEntity } from './ngsi';
import type { EntityView, Value } from './types';

/** Members of an entity that are no attributes. */
const SYSTEM = new Set(['id', 'type', 'scope', 'createdAt', 'modifiedAt', 'expiresAt', 'deletedAt', '@context']);

/** Kind of attribute -> its number in the store, and the member that holds the value. */
const KINDS: Record<string, [kind: number, member: string]> = {
  Property: [1, 'value'],
  Relationship: [2, 'object'],
  GeoProperty: [3, 'value'],
  LanguageProperty: [4, 'languageMap'],
  VocabProperty: [5, 'vocab'],
  JsonProperty: [6, 'json'],
  ListProperty: [7, 'valueList'],
  ListRelationship: [8, 'objectList'],
};

type Instance = Record<string, unknown>;

const text = (x: unknown): string | null => (typeof x === 'string' ? x : null);
const list = (x: unknown): string[] => (Array.isArray(x) ? x : x === undefined ? [] : [x]).map(String);

export function typesOf(entity: NgsiEntity): string[] {
  return list(entity.type);
}

/** The end of an IRI; a short name as it is. */
export function shortName(name: string): string {
  return name.split(/[/#]/).at(-1) || name;
}

export function attributeNames(entity: NgsiEntity): string[] {
  return Object.keys(entity).filter((name) => !SYSTEM.has(name));
}

/** Every instance of an attribute; one without a datasetId is the default. */
export function instances(entity: NgsiEntity, name: string): Instance[] {
  const found = entity[name];
  const all = Array.isArray(found) ? found : [found];
  return all.filter((x): x is Instance => typeof x === 'object' && x !== null);
}

export function valueOfInstance(attribute: string, instance: Instance): Value {
  const [kind, member] = KINDS[String(instance['type'])] ?? [1, 'value'];
  const value = instance[member];
  const isPlain = typeof value === 'number' || typeof value === 'string';
  return {
    attribute,
    dataset: text(instance['datasetId']) ?? '',
    kind,
    number: typeof value === 'number' ? value : null,
    text: text(value),
    body: isPlain || value === undefined ? null : JSON.stringify(value),
    unit: text(instance['unitCode']),
    observed_at: text(instance['observedAt']),
    modified_at: text(instance['modifiedAt']),
    quality: null,
    source: null,
    stale_after_s: null,
  };
}

export function valuesOf(entity: NgsiEntity): Value[] {
  return attributeNames(entity).flatMap((name) =>
    instances(entity, name).map((instance) => valueOfInstance(name, instance)),
  );
}

/** The latest change of the entity or any of its attributes, as the API wrote it. */
export function newestChange(entity: NgsiEntity): string | null {
  const times = [text(entity['modifiedAt'])];
  for (const value of valuesOf(entity)) times.push(value.modified_at);
  return times.reduce((a, b) => (a === null || (b !== null && b > a) ? b : a), null);
}

/** What people call it: the text of `name`, in the asked language where it has several. */
export function nameOf(entity: NgsiEntity, lang: string): string | null {
  const [first] = instances(entity, 'name');
  const map = first?.['languageMap'] as Record<string, unknown> | undefined;
  if (map) return text(map[lang]) ?? text(map['@none']) ?? text(Object.values(map)[0]);
  return text(first?.['value']);
}

type Position = [number, number];

function positions(coordinates: unknown, found: Position[]): Position[] {
  if (!Array.isArray(coordinates)) return found;
  const [lon, lat] = coordinates as unknown[];
  if (typeof lon === 'number' && typeof lat === 'number') found.push([lon, lat]);
  else for (const part of coordinates) positions(part, found);
  return found;
}

/** Where it stands: a point itself, the middle of what surrounds anything larger. */
export function placeOf(entity: NgsiEntity): Position | null {
  const [first] = instances(entity, 'location');
  const geometry = first?.['value'] as { coordinates?: unknown; geometries?: unknown[] } | undefined;
  const parts = geometry?.geometries?.map((g) => (g as { coordinates?: unknown }).coordinates);
  const all = positions(parts ?? geometry?.coordinates, []);
  if (all.length === 0) return null;
  const middle = (of: number[]) =>
    (of.reduce((a, b) => Math.min(a, b)) + of.reduce((a, b) => Math.max(a, b))) / 2;
  return [middle(all.map((p) => p[0])), middle(all.map((p) => p[1]))];
}

/** The entity as the live picture would hold it; its origin is not known here. */
export function viewOf(entity: NgsiEntity, lang: string): EntityView {
  const place = placeOf(entity);
  return {
    id: entity.id,
    name: nameOf(entity, lang),
    types: typesOf(entity),
    scope: list(entity['scope']),
    lon: place?.[0] ?? null,
    lat: place?.[1] ?? null,
    origin: 'measured',
    origin_note: '',
    origin_note_vi: '',
    values: valuesOf(entity).filter((v) => v.attribute !== 'name' && v.attribute !== 'location'),
  };
}
