/** Entities as map features: pure, so that it is tested without a map. */

import type { EntityView, Layer } from '../../api/types';
import type { Lang } from '../../format/number';
import { entityName, isStale, valueText } from '../../format/value';
import { domainOf, layersOf, valueOf } from '../../state/domains';
import { markName } from './marks';

export interface View {
  layers: Layer[];
  hidden: ReadonlySet<string>;
  lang: Lang;
  nowMs: number;
}

export interface Properties {
  entity: string;
  icon: string;
  label: string;
  name: string;
}

export interface Point {
  lon: number;
  lat: number;
  properties: Properties;
}

/** The first shown layer of the entity, or undefined when all of its layers are hidden. */
export function shownLayer(entity: EntityView, view: Pick<View, 'layers' | 'hidden'>): Layer | undefined {
  return layersOf(entity, view.layers).find((layer) => !view.hidden.has(layer.id));
}

/** Where and how an entity stands on the map; null: it has no place, or its layers are hidden. */
export function pointOf(entity: EntityView, view: View): Point | null {
  if (entity.lon === null || entity.lat === null) return null;
  const layer = shownLayer(entity, view);
  if (!layer) return null;
  const value = valueOf(entity, layer.attribute);
  const stale = value !== undefined && isStale(value, view.nowMs);
  return {
    lon: entity.lon,
    lat: entity.lat,
    properties: {
      entity: entity.id,
      icon: markName(domainOf(layer), stale),
      label: value ? onMap(valueText(value, view.lang)) : '',
      name: entityName(entity),
    },
  };
}

/** The fonts of the map have no minus sign (U+2212): an en dash looks the same. */
function onMap(text: string): string {
  return text.replaceAll('\u2212', '\u2013');
}

export function isSamePoint(a: Point, b: Point): boolean {
  return (
    a.lon === b.lon &&
    a.lat === b.lat &&
    a.properties.icon === b.properties.icon &&
    a.properties.label === b.properties.label &&
    a.properties.name === b.properties.name
  );
}
