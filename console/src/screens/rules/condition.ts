/** Conditions of rules: their fields, first values, and what they say in words. */

import type { Condition, DatedLimit, LimitTable, Rule, Words } from '../../api/rules';
import type { LonLat } from '../../api/warnings';
import { exactNumber, type Lang } from '../../format/number';
import { formatDuration } from '../../format/time';
import { unitSymbol } from '../../format/unit';
import { attributeName, attributeUnit } from '../../i18n/attributes';
import { t, tryText, type TextKey } from '../../i18n/text';

export type FieldType = 'text' | 'number' | 'limit' | 'flag' | 'comparison' | 'function' | 'relation' | 'flags';

export interface Field {
  name: string;
  type: FieldType;
  isOptional?: boolean;
}

/** Of a rate: what its change is counted by where it does not say (model/rule_condition.py). */
const PER_S = 3600;
const attribute: Field = { name: 'attribute', type: 'text' };
const comparison: Field = { name: 'comparison', type: 'comparison' };
const limit: Field = { name: 'limit', type: 'limit' };
const deadband: Field = { name: 'deadband', type: 'number', isOptional: true };
const over: Field = { name: 'over_s', type: 'number' };

export const FIELDS: Record<string, Field[]> = {
  threshold: [attribute, comparison, limit, deadband],
  range: [
    attribute,
    { name: 'low', type: 'limit' },
    { name: 'high', type: 'limit' },
    { name: 'is_inside', type: 'flag' },
    deadband,
  ],
  rate: [attribute, over, comparison, limit, { name: 'per_s', type: 'number', isOptional: true }, deadband],
  no_data: [attribute, { name: 'for_s', type: 'number' }],
  stuck: [
    attribute,
    { name: 'for_s', type: 'number' },
    { name: 'tolerance', type: 'number', isOptional: true },
    { name: 'min_count', type: 'number', isOptional: true },
  ],
  window: [
    attribute,
    { name: 'function', type: 'function' },
    over,
    comparison,
    limit,
    { name: 'min_count', type: 'number', isOptional: true },
    deadband,
  ],
  /** Its area or polygon: FenceFields. */
  geofence: [{ name: 'relation', type: 'relation' }],
  compare: [
    attribute,
    comparison,
    { name: 'other', type: 'text' },
    { name: 'factor', type: 'number', isOptional: true },
    { name: 'offset', type: 'number', isOptional: true },
    { name: 'within_s', type: 'number', isOptional: true },
    { name: 'is_forecast', type: 'flag' },
    deadband,
  ],
  quality: [attribute, { name: 'flags', type: 'flags' }],
};
export const COMBINATIONS = ['all_of', 'any_of', 'at_least', 'not'];
export const KINDS = [...Object.keys(FIELDS), ...COMBINATIONS];
export const COMPARISONS = ['>', '>=', '<', '<='];
export const FUNCTIONS = ['mean', 'max', 'min', 'sum', 'count'];
export const FLAGS = ['bad', 'uncertain', 'missing', 'estimated', 'hand_entered', 'good'];

const FIRST: Record<string, Record<string, unknown>> = {
  threshold: { comparison: '>=', limit: null, deadband: 0 },
  range: { low: null, high: null },
  rate: { comparison: '>', limit: null, over_s: 3600 },
  no_data: { for_s: 900 },
  stuck: { for_s: 14400, min_count: 4 },
  window: { function: 'mean', over_s: 3600, comparison: '>', limit: null },
  geofence: { relation: 'inside', area: '' },
  compare: { comparison: '>', other: '' },
  quality: { flags: ['bad', 'missing'] },
};

/** A condition of a kind, with what an earlier one had and it can use. */
export function firstOf(kind: string, before?: Condition): Condition {
  if (COMBINATIONS.includes(kind)) {
    const parts = before ? partsOf(before) : [];
    const inner = parts.length ? parts : [before && !before.of ? before : firstOf('threshold')];
    if (kind === 'not') return { kind, of: inner[0] as Condition };
    return kind === 'at_least' ? { kind, count: 1, of: inner } : { kind, of: inner };
  }
  const kept: Record<string, unknown> = {};
  for (const field of FIELDS[kind] ?? [])
    if (before && before[field.name] !== undefined) kept[field.name] = before[field.name];
  return { kind, ...(kind === 'geofence' ? {} : { attribute: '' }), ...FIRST[kind], ...kept };
}

export function partsOf(condition: Condition): Condition[] {
  if (!condition.of) return [];
  return Array.isArray(condition.of) ? condition.of : [condition.of];
}

/** Whether every field that must be there is. */
export function isComplete(condition: Condition): boolean {
  if (condition.of) return partsOf(condition).every(isComplete);
  if (condition.kind === 'geofence' && !condition['area'] && cornersOf(condition).length < 3) return false;
  return (FIELDS[condition.kind] ?? []).every((field) => {
    const value = condition[field.name];
    if (field.isOptional || field.type === 'flag') return true;
    if (Array.isArray(value)) return value.length > 0;
    return value !== undefined && value !== null && value !== '';
  });
}

/** Corners of the polygon of a fence. */
export function cornersOf(condition: Condition): LonLat[] {
  return (condition['polygon'] as LonLat[] | undefined) ?? [];
}

export function words(of: Words, lang: Lang): string {
  return (lang === 'vi' ? of.vi || of.en : of.en || of.vi) ?? '';
}

/** A number, or the title of the table and the level: `Flood alarm levels: II`. */
function limitText(of: Condition, value: unknown, lang: Lang, tables: LimitTable[]): string {
  if (typeof value === 'number') {
    const unit = unitOfLimit(of, lang);
    return `${exactNumber(value, lang)}${unit ? ` ${unit}` : ''}`;
  }
  const dated = value as DatedLimit | null;
  if (!dated?.table) return '?';
  const title = words(tables.find((one) => one.name === dated.table)?.title ?? {}, lang);
  return `${title || dated.table}: ${dated.level}`;
}

const TELLERS: Record<string, (of: Condition, lang: Lang, tables: LimitTable[]) => string> = {
  range: (c, lang, tables) => {
    const [low, high] = [c['low'], c['high']].map((one) => limitText(c, one, lang, tables));
    return `${t(c['is_inside'] ? 'rules_say_inside' : 'rules_say_outside')} ${low} … ${high}`;
  },
  no_data: (c, lang) => t('rules_say_no_data', { s: span(c['for_s'], lang) }),
  stuck: (c, lang) => t('rules_say_stuck', { s: span(c['for_s'], lang) }),
  rate: (c, lang, tables) =>
    `${t('rules_say_rate', { s: span(c['over_s'], lang) })} ${against(c, lang, tables)}`,
  window: (c, lang, tables) =>
    `${t('rules_say_window', { fn: functionName(String(c['function'])), s: span(c['over_s'], lang) })} ${against(c, lang, tables)}`,
  geofence: (c) => {
    const where = c['area'] || t('rules_say_drawn', { n: cornersOf(c).length });
    return `${t(c['relation'] === 'outside' ? 'rules_say_outside' : 'rules_say_inside')} ${String(where)}`;
  },
  compare: (c) => {
    const other = attributeName(String(c['other'] ?? ''), '');
    return `${sign(c['comparison'])} ${c['is_forecast'] ? `${t('rules_say_forecast')} ` : ''}${other}`;
  },
  quality: (c) => `${t('rules_say_quality')}: ${((c['flags'] as string[]) ?? []).join(', ')}`,
};

const SIGNS: Record<string, string> = { '>=': '≥', '<=': '≤' };

/** A comparison as people write it. */
export function sign(comparison: unknown): string {
  const text = String(comparison ?? '');
  return SIGNS[text] ?? text;
}

/** A condition in short, for lists; `tables` give dated limits their names. */
export function told(condition: Condition, lang: Lang, tables: LimitTable[]): string {
  if (condition.of) {
    const parts = partsOf(condition).map((part) => told(part, lang, tables));
    const how = t(`rules_kind_${condition.kind}` as TextKey);
    return `${how}: ${parts.join('; ')}`;
  }
  const name = condition['attribute'] ? attributeName(String(condition['attribute']), '') : '';
  const say = TELLERS[condition.kind] ?? against;
  return `${name} ${say(condition, lang, tables)}`.trim();
}

export function functionName(name: string): string {
  return tryText(`fn_${name === 'mean' ? 'avg' : name}`, name);
}

/** "hour": what a change is counted by. */
export function perText(seconds: number, lang: Lang): string {
  return tryText(`per_${seconds}`, formatDuration(seconds * 1000, lang));
}

function against(c: Condition, lang: Lang, tables: LimitTable[]): string {
  return `${sign(c['comparison'])} ${limitText(c, c['limit'], lang, tables)}`;
}

/** Unit of a limit that the rule itself gives. */
function unitOfLimit(c: Condition, lang: Lang): string {
  if (c.kind === 'window' && c['function'] === 'count') return '';
  const symbol = unitSymbol(attributeUnit(String(c['attribute'] ?? '')));
  if (c.kind !== 'rate') return symbol;
  return `${symbol || '1'}/${perText(Number(c['per_s'] ?? PER_S), lang)}`;
}

function span(seconds: unknown, lang: Lang): string {
  return formatDuration(Number(seconds) * 1000, lang);
}

/** Attributes that a condition reads, in order. */
export function attributesOf(condition: Condition): string[] {
  if (condition.of) return [...new Set(partsOf(condition).flatMap(attributesOf))];
  return condition['attribute'] ? [String(condition['attribute'])] : [];
}

export function scopeText(rule: Rule): string {
  const { types = [], ids = [], areas = [], sources = [] } = rule.scope;
  const short = ids.map((one) => one.split(':').pop() ?? one);
  const shown = short.length > 3 ? [...short.slice(0, 3), `+${short.length - 3}`] : short;
  return [...types, ...shown, ...areas, ...sources].join(', ');
}

/** A rule to begin with. */
export function emptyRule(): Rule {
  return {
    id: '',
    version: 1,
    name: {},
    scope: { types: [] },
    condition: firstOf('threshold'),
    priority: 3,
    consequence: {},
    response: {},
    time_to_respond_s: 1800,
    on_delay_s: 0,
    off_delay_s: 0,
    is_latched: false,
    author: '',
    note: '',
    created_at: null,
    approved_by: '',
    approved_at: null,
  };
}

/** What the API takes: without what it sets itself. */
export function toSend(rule: Rule): Record<string, unknown> {
  const { version: _v, author: _a, created_at: _c, approved_by: _b, approved_at: _p, ...rest } = rule;
  return rest;
}

export function levelsOf(tables: LimitTable[]): DatedLimit[] {
  return tables.flatMap((table) =>
    [...new Set(table.values.map((value) => value.level))].map((level) => ({ table: table.name, level })),
  );
}
