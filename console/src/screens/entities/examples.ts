/** The grammar of q by examples, with attributes of the chosen type where they are known. Pure. */

import type { TextKey } from '../../i18n/text';

export interface Example {
  term: string;
  what: TextKey;
}

export interface Names {
  /** Attributes with numbers, with texts, with other entities. */
  number: string;
  text: string;
  relationship: string;
  /** Unit of the number. */
  unit: string;
}

const USUAL: Names = { number: 'pm25', text: 'name', relationship: 'locatedAt', unit: 'GQ' };

/** Names of each kind from what the entities on the page have; usual ones where there is none. */
export function namesFor(
  names: string[],
  instanceOf: (name: string) => Record<string, unknown> | undefined,
): Names {
  const find = (isWanted: (instance: Record<string, unknown>) => boolean) =>
    names.find((name) => {
      const instance = instanceOf(name);
      return instance !== undefined && isWanted(instance);
    });
  const number = find((x) => typeof x['value'] === 'number') ?? USUAL.number;
  const unit = instanceOf(number)?.['unitCode'];
  return {
    number,
    unit: typeof unit === 'string' ? unit : USUAL.unit,
    text: find((x) => typeof x['value'] === 'string') ?? USUAL.text,
    relationship: find((x) => x['type'] === 'Relationship') ?? USUAL.relationship,
  };
}

export function examples({ number, text, relationship, unit }: Names, now: Date): Example[] {
  const today = now.toISOString().slice(0, 10);
  return [
    { term: number, what: 'q_exists' },
    { term: `${number}>25`, what: 'q_greater' },
    { term: `${number}==10..50`, what: 'q_range' },
    { term: `${text}=="abc"`, what: 'q_equal' },
    { term: `${text}=="a","b"`, what: 'q_list' },
    { term: `${text}~=".*abc.*"`, what: 'q_pattern' },
    { term: `${text}!="abc"`, what: 'q_unequal' },
    { term: `${number}>25;${text}~="^A"`, what: 'q_and' },
    { term: `(${number}<5|${number}>50)`, what: 'q_or' },
    { term: `${number}.observedAt>=${today}T00:00:00Z`, what: 'q_time' },
    { term: `${number}.unitCode=="${unit}"`, what: 'q_unit' },
    { term: 'address[addressLocality]=="abc"', what: 'q_inside' },
    { term: `${relationship}==urn:ngsi-ld:Ward:1`, what: 'q_relation' },
  ];
}
