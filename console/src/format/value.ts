/** What a value shows: its text, its age, whether it is stale. */

import type { EntityView, Layer, Value } from '../api/types';
import { exactNumber, formatNumber, type Lang } from './number';
import { unitDecimals, unitSymbol } from './unit';

const KIND_RELATIONSHIP = 2;
const KIND_GEO = 3;

/** Number or text as people read it; '' where there is neither. */
export function valueText(value: Value, lang: Lang): string {
  if (value.number !== null) return formatNumber(value.number, lang, unitDecimals(value.unit));
  if (value.text !== null && value.text !== '') return value.text;
  if (value.kind === KIND_GEO || !value.body) return '';
  return value.body.length > 60 ? `${value.body.slice(0, 60)}…` : value.body;
}

export function valueWithUnit(value: Value, lang: Lang): string {
  const text = valueText(value, lang);
  const unit = value.number === null ? '' : unitSymbol(value.unit);
  return unit && text ? `${text} ${unit}` : text;
}

/** The value to the last digit, as it stands in the record; '' where there is no number. */
export function exactText(value: Value, lang: Lang): string {
  if (value.number === null) return '';
  const unit = unitSymbol(value.unit);
  return `${exactNumber(value.number, lang)}${unit ? ` ${unit}` : ''}`;
}

/**
 * Attributes worth a row on screen (not the name, not the place): those of the map's layers first,
 * then other numbers, then texts.
 */
export function shownValues(entity: EntityView, layers: Layer[]): Value[] {
  const own = layers.filter((layer) => layer.types.some((type) => entity.types.includes(type)));
  const order = own.map((layer) => layer.attribute);
  const rank = (v: Value) => {
    const at = order.indexOf(v.attribute);
    if (at >= 0) return at;
    return isChartable(v) ? order.length : order.length + 1;
  };
  return entity.values
    .filter((v) => v.attribute !== 'name' && v.attribute !== 'location' && v.kind !== KIND_GEO)
    .sort((a, b) => rank(a) - rank(b) || a.attribute.localeCompare(b.attribute));
}

export function isChartable(value: Value): boolean {
  return value.number !== null && value.kind !== KIND_RELATIONSHIP;
}

export function observedMs(value: Value): number | null {
  const text = value.observed_at ?? value.modified_at;
  return text === null ? null : Date.parse(text);
}

export function isStale(value: Value, nowMs: number): boolean {
  if (value.stale_after_s === null) return false;
  const at = observedMs(value);
  return at !== null && nowMs - at > value.stale_after_s * 1000;
}

export function entityName(entity: { id: string; name: string | null }): string {
  return entity.name || entity.id.replace(/^urn:ngsi-ld:/, '');
}

export function seriesKey(entity: string, attribute: string, dataset: string): string {
  return dataset ? `${entity}|${attribute}|${dataset}` : `${entity}|${attribute}`;
}
