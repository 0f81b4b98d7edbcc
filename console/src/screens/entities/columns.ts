/** Which attributes stand beside the entities of a page, where nobody chose. Pure. */

import { attributeNames, instances, typesOf, valueOfInstance } from '../../api/ngsi_values';
import type { NgsiEntity } from '../../api/ngsi';
import type { Layer } from '../../api/types';
import { isChartable } from '../../format/value';

const MOST = 2;
/** Shown in columns of their own, or on the map. */
export const PLACED: ReadonlySet<string> = new Set(['name', 'location']);

/** Attributes that the entities have, the frequent ones first. */
export function seenAttributes(entities: NgsiEntity[]): string[] {
  const counts = new Map<string, number>();
  for (const entity of entities)
    for (const name of attributeNames(entity)) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).map(([name]) => name);
}

function isNumeric(entities: NgsiEntity[], name: string): boolean {
  for (const entity of entities) {
    const [first] = instances(entity, name);
    if (first) return isChartable(valueOfInstance(name, first));
  }
  return false;
}

/** What the map's layers show of these types first, then other numbers; texts where there are none. */
export function defaultColumns(entities: NgsiEntity[], layers: Layer[]): string[] {
  const types = new Set(entities.flatMap(typesOf));
  const layered = layers.filter((layer) => layer.types.some((type) => types.has(type)));
  const order = layered.map((layer) => layer.attribute);
  const seen = seenAttributes(entities).filter((name) => !PLACED.has(name));
  const rank = (name: string) => {
    const at = order.indexOf(name);
    return at < 0 ? order.length : at;
  };
  const numbers = seen.filter((name) => isNumeric(entities, name));
  const ranked = numbers.map((name, i) => ({ name, i, rank: rank(name) }));
  ranked.sort((a, b) => a.rank - b.rank || a.i - b.i);
  const names = ranked.length ? ranked.map((x) => x.name) : seen;
  return names.slice(0, MOST);
}
