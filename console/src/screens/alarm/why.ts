/** Terms of an explanation of the rules, found wherever they stand in it: pure. */

export interface Term {
  attribute: string;
  figure: string;
  comparison: string;
  limit: number | null;
  value: number | null;
  verdict: boolean | null;
  reason: string;
  /** Where the limit comes from; empty: written into the rule. */
  source: string;
  validFrom: string;
  mark: string;
  /** UN/CEFACT code of value and limit; empty: not known. */
  unit: string;
  /** Of a rate: in how many seconds. */
  perS: number | null;
}

type Json = Record<string, unknown>;

const text = (value: unknown) => (typeof value === 'string' ? value : '');
const number = (value: unknown) => (typeof value === 'number' ? value : null);

function termOf(found: Json): Term {
  const source = (found['limit_source'] ?? {}) as Json;
  return {
    attribute: text(found['attribute']),
    figure: text(found['figure']),
    comparison: text(found['comparison']),
    limit: number(found['limit']),
    value: number(found['value']),
    verdict: typeof found['verdict'] === 'boolean' ? found['verdict'] : null,
    reason: text(found['reason']),
    source: text(source['source']),
    validFrom: text(source['valid_from']),
    mark: text(source['mark']),
    unit: text(found['unit']),
    perS: found['figure'] === 'rate' ? number((found['parameters'] as unknown[] | undefined)?.[0]) : null,
  };
}

export function termsOf(explanation: unknown): Term[] {
  if (Array.isArray(explanation)) return explanation.flatMap(termsOf);
  if (explanation === null || typeof explanation !== 'object') return [];
  const found = explanation as Json;
  if ('attribute' in found && 'limit' in found) return [termOf(found)];
  return Object.values(found).flatMap(termsOf);
}
