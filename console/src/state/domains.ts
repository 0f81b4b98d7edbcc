/** Which layer an entity belongs to, and what each domain looks like. */

import type { EntityView, Layer, Value } from '../api/types';

/** Layer of things whose type no layer names: a first message must appear on the map too. */
export const OTHER: Layer = {
  id: 'other',
  title: { vi: 'Khác', en: 'Other' },
  types: [],
  attribute: '',
  domain: 'other',
  unit: null,
};

export type Domain = 'air' | 'water' | 'rain' | 'weather' | 'other';
const KNOWN: readonly string[] = ['air', 'water', 'rain', 'weather'];

export function domainOf(layer: Layer): Domain {
  return (KNOWN.includes(layer.domain) ? layer.domain : 'other') as Domain;
}

export function valueOf(entity: EntityView, attribute: string): Value | undefined {
  if (attribute === '') return entity.values.find((v) => v.number !== null);
  return (
    entity.values.find((v) => v.attribute === attribute && v.dataset === '') ??
    entity.values.find((v) => v.attribute === attribute)
  );
}

function belongs(entity: EntityView, layer: Layer): boolean {
  return (
    layer.types.some((type) => entity.types.includes(type)) &&
    (layer.attribute === '' || entity.values.some((v) => v.attribute === layer.attribute))
  );
}

/** All layers the entity is in, in the hub's order; OTHER when it is in none. */
export function layersOf(entity: EntityView, layers: Layer[]): Layer[] {
  const found = layers.filter((layer) => belongs(entity, layer));
  return found.length ? found : [OTHER];
}
