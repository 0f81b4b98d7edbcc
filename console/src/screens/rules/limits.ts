/** Dated limits: which are valid on a day, and which rules use them: pure. */

import type { Condition, DatedLimit, DatedValue, LimitTable, RuleState } from '../../api/rules';
import { partsOf } from './condition';

export type LimitState = 'valid' | 'future' | 'over' | 'void';

/** How a limit stands on a day (yyyy-mm-dd). */
export function limitState(one: DatedValue, day: string): LimitState {
  if (one.valid_to !== null && one.valid_to <= one.valid_from) return 'void';
  if (day < one.valid_from) return 'future';
  return one.valid_to === null || day < one.valid_to ? 'valid' : 'over';
}

/** Marks of files are whole sentences. */
export function isVerified(mark: string): boolean {
  return mark === 'verified';
}

interface Use {
  rule: string;
  table: string;
  level: string;
  attribute: string;
}

function usesOf(condition: Condition, rule: string): Use[] {
  if (condition.of) return partsOf(condition).flatMap((part) => usesOf(part, rule));
  return ['limit', 'low', 'high'].flatMap((name) => {
    const limit = condition[name] as DatedLimit | number | null | undefined;
    if (limit === null || typeof limit !== 'object') return [];
    return [{ rule, table: limit.table, level: limit.level, attribute: String(condition['attribute'] ?? '') }];
  });
}

/** Uses of dated limits by what is in force of each rule, else by its newest version. */
export function usesIn(rules: RuleState[]): Use[] {
  return rules.flatMap((rule) => usesOf((rule.approved ?? rule.newest).condition, rule.id));
}

export function rulesUsing(uses: Use[], table: string, level: string): string[] {
  const found = uses.filter((one) => one.table === table && one.level === level);
  return [...new Set(found.map((one) => one.rule))];
}

export function attributesOfTable(uses: Use[], table: string): string[] {
  return [...new Set(uses.filter((one) => one.table === table).map((one) => one.attribute))];
}

export interface Shown {
  table: LimitTable;
  attributes: string[];
  values: { value: DatedValue; state: LimitState; rules: string[] }[];
}

/** What the filters leave: tables with values, in the order of level, place and day. */
export function shownLimits(
  tables: LimitTable[],
  rules: RuleState[],
  filter: { day: string; attribute: string; isEvery: boolean; fits: (text: string) => boolean },
): Shown[] {
  const uses = usesIn(rules);
  return tables.flatMap((table) => {
    const attributes = attributesOfTable(uses, table.name);
    if (filter.attribute && !attributes.includes(filter.attribute)) return [];
    const values = table.values
      .map((value) => ({
        value,
        state: limitState(value, filter.day),
        rules: rulesUsing(uses, table.name, value.level),
      }))
      .filter(({ value, state }) => {
        if (!filter.isEvery && state !== 'valid') return false;
        const { title } = table;
        return filter.fits(
          [table.name, title.vi, title.en, value.level, value.entity, value.source].join(' '),
        );
      })
      .sort(
        ({ value: a }, { value: b }) =>
          a.entity.localeCompare(b.entity) ||
          a.level.localeCompare(b.level) ||
          a.valid_from.localeCompare(b.valid_from),
      );
    // An empty table is shown where it is new, and hidden where a filter empties it.
    return values.length || !table.values.length ? [{ table, attributes, values }] : [];
  });
}
