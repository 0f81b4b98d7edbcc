/** Terms of an explanation of the rules, found wherever they stand in it, and in words. */

import { exactNumber, shortNumber, type Lang } from '../../format/number';
import { formatDuration } from '../../format/time';
import { unitDecimals, unitSymbol } from '../../format/unit';
import { attributeName } from '../../i18n/attributes';
import { t, tryText } from '../../i18n/text';
import { perText, sign } from './condition';

export interface Term {
  attribute: string;
  figure: string;
  comparison: string;
  limit: number | null;
  value: number | null;
  verdict: boolean | null;
  reason: string;
  /** Of a table of dated limits; empty: the limit is written into the rule. */
  level: string;
  /** Where the limit comes from; empty: written into the rule. */
  source: string;
  validFrom: string;
  mark: string;
  /** UN/CEFACT code of value and limit; empty: not known. */
  unit: string;
  /** Of a rate: in how many seconds. */
  perS: number | null;
  /** Length of the window of the figure; 0: none. */
  windowS: number;
  /** When the newest value that it looked at was observed. */
  seenMs: number | null;
  /** When it stood so. */
  decidedMs: number | null;
}

type Json = Record<string, unknown>;

const text = (value: unknown) => (typeof value === 'string' ? value : '');
const number = (value: unknown) => (typeof value === 'number' ? value : null);

function seenMs(input: Json | undefined): number | null {
  const ms = Date.parse(text(input?.['observed_at']));
  return Number.isNaN(ms) ? null : ms;
}

function termOf(found: Json, decidedMs: number | null): Term {
  const source = (found['limit_source'] ?? {}) as Json;
  return {
    attribute: text(found['attribute']),
    figure: text(found['figure']),
    comparison: text(found['comparison']),
    limit: number(found['limit']),
    value: number(found['value']),
    verdict: typeof found['verdict'] === 'boolean' ? found['verdict'] : null,
    reason: text(found['reason']),
    level: text(source['level']),
    source: text(source['source']),
    validFrom: text(source['valid_from']),
    mark: text(source['mark']),
    unit: text(found['unit']),
    perS: found['figure'] === 'rate' ? number((found['parameters'] as unknown[] | undefined)?.[0]) : null,
    windowS: number(found['window_s']) ?? 0,
    seenMs: seenMs((found['inputs'] as Json[] | undefined)?.[0]),
    decidedMs,
  };
}

export function termsOf(explanation: unknown, decidedMs: number | null = null): Term[] {
  if (Array.isArray(explanation)) return explanation.flatMap((one) => termsOf(one, decidedMs));
  if (explanation === null || typeof explanation !== 'object') return [];
  const found = explanation as Json;
  if ('attribute' in found && 'limit' in found) return [termOf(found, decidedMs)];
  const atMs = Date.parse(text(found['decided_at']));
  const decided = Number.isNaN(atMs) ? decidedMs : atMs;
  return Object.values(found).flatMap((one) => termsOf(one, decided));
}

/** "≥ 1,5 m": the limit with how the value has to stand to it. */
export function limitText(term: Term, lang: Lang): string {
  return `${sign(term.comparison)} ${figureText(term.limit, term, lang)}`;
}

/** Figures whose value is no number of the attribute. */
const BARE = ['count', 'flag', 'fence'];
const DIGITS = 6;

/** Decimals as values in this unit have them; of a rate, which is small beside them, one more. */
function decimalsOf(term: Term): number | undefined {
  const decimals = BARE.includes(term.figure) ? undefined : unitDecimals(term.unit || null);
  return decimals === undefined || term.perS === null ? decimals : decimals + 1;
}

/** Rounded, but never so far that a value and the limit that it misses look alike. */
function digits(n: number, term: Term, lang: Lang): string {
  const decimals = decimalsOf(term);
  const plain = (x: number) => shortNumber(x, lang, decimals);
  const { value, limit } = term;
  const isAlike = value !== null && limit !== null && value !== limit && plain(value) === plain(limit);
  return isAlike || (n !== 0 && plain(n) === plain(0)) ? exactNumber(Number(n.toPrecision(DIGITS)), lang) : plain(n);
}

/** A value or limit of a term, with its unit. */
export function figureText(n: number | null, term: Term, lang: Lang): string {
  if (n === null) return '–';
  if (term.figure === 'silence') return formatDuration(n / 1000, lang);
  const symbol = BARE.includes(term.figure) ? '' : unitSymbol(term.unit || null);
  const unit = term.perS === null ? symbol : `${symbol || '1'}/${perText(term.perS, lang)}`;
  return `${digits(n, term, lang)}${unit ? ` ${unit}` : ''}`;
}

/** "PM10 (mean over 24 h)": what the rule looks at. */
export function termText(term: Term, lang: Lang): string {
  const name = attributeName(term.attribute, '');
  if (!term.figure || term.figure === 'value') return name;
  const figure = tryText(`figure_${term.figure}`, term.figure);
  if (!term.windowS) return `${name} (${figure})`;
  return `${name} (${t('figure_over', { figure, time: formatDuration(term.windowS * 1000, lang) })})`;
}

/** What a file says of a limit's source: known phrases in the reader's language, others as written. */
export function markText(mark: string): string {
  return mark
    .split('; ')
    .map((phrase) => tryText(`mark_${phrase.replaceAll(/\W+/g, '_')}`, phrase))
    .join('; ');
}
