/** Entities as lines of a table. Pure. */

import type { NgsiEntity } from '../../api/ngsi';
import { instances, nameOf, newestChange, placeOf, typesOf, valueOfInstance } from '../../api/ngsi_values';

const FIXED = ['id', 'type', 'name', 'lon', 'lat', 'modifiedAt'];

/** Quoted after RFC 4180 where it has to be; a text that a spreadsheet would run is held back. */
export function cell(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number') return String(value);
  let text = String(value);
  if (/^[=+\-@\t\r]/.test(text)) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}

const line = (cells: unknown[]) => `${cells.map(cell).join(',')}\r\n`;

/** Each attribute has its value, its unit and its time. */
export function csvHead(attributes: string[]): string {
  const named = attributes.flatMap((a) => [a, `${a}.unitCode`, `${a}.observedAt`]);
  return line([...FIXED, ...named]);
}

export function csvLine(entity: NgsiEntity, attributes: string[], lang: string): string {
  const [lon, lat] = placeOf(entity) ?? [null, null];
  const cells = attributes.flatMap((name) => {
    const all = instances(entity, name);
    const shown = all.find((x) => x['datasetId'] === undefined) ?? all[0];
    if (!shown) return [null, null, null];
    const value = valueOfInstance(name, shown);
    return [value.number ?? value.text ?? value.body, value.unit, value.observed_at];
  });
  const types = typesOf(entity).join(' ');
  return line([entity.id, types, nameOf(entity, lang), lon, lat, newestChange(entity), ...cells]);
}
