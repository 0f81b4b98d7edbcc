/** What the rule compared, as lines beside the values: the limit, and the figure of a window: pure. */

import type { Line } from '../../parts/chart/lines';
import type { Term } from '../rules/terms';

/** Figures that are in the unit of the attribute and stand where its values stand. */
const ON_AXIS = ['', 'value', 'mean', 'min', 'max', 'sum'];

export interface Judged {
  line: Line;
  kind: 'limit' | 'figure';
  term: Term;
}

export function isOnAxis(term: Term): boolean {
  return ON_AXIS.includes(term.figure);
}

/** UN/CEFACT code of an attribute's values as its terms tell it, those of a rate or a count too;
 * null: none does. */
export function unitOf(terms: Term[], attribute: string): string | null {
  return terms.find((term) => term.attribute === attribute && term.unit)?.unit ?? null;
}

/** A term is drawn in the panel of the line of its attribute; without one it is not drawn. */
export function judgedLines(terms: Term[], lines: Line[], [startMs, endMs]: [number, number]): Judged[] {
  const seen = new Set<string>();
  const found: Judged[] = [];
  const add = (kind: Judged['kind'], term: Term, of: Line, fromMs: number, untilMs: number, v: number) => {
    const key = [kind, term.attribute, term.figure, term.windowS, v].join('|');
    if (seen.has(key) || untilMs <= fromMs) return;
    seen.add(key);
    const colorIndex = lines.length + found.length;
    const isLimit = kind === 'limit';
    const line = { ...of, key, name: '', colorIndex, isComparison: isLimit, t: [fromMs, untilMs], v: [v, v], q: [] };
    found.push({ kind, term, line });
  };
  for (const term of terms.filter(isOnAxis)) {
    const of = lines.find((line) => line.key.split('|')[1] === term.attribute);
    if (!of) continue;
    if (term.limit !== null) add('limit', term, of, startMs, endMs, term.limit);
    if (term.windowS > 0 && term.value !== null && term.decidedMs !== null) {
      const fromMs = Math.max(startMs, term.decidedMs - term.windowS * 1000);
      add('figure', term, of, fromMs, Math.min(endMs, term.decidedMs), term.value);
    }
  }
  return found;
}
