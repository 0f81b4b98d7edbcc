/** Where in a q filter an attribute's name is being written, and what to write there. Pure. */

import { fold } from '../../format/fold';

export interface Word {
  start: number;
  end: number;
  text: string;
}

const NAME = /[\p{L}\p{N}_:/#%-]/u;
const OPENS = new Set(['', ';', '|', '(']);

/** Whether a quoted text is open at the place. */
function isQuoted(q: string, at: number): boolean {
  let isOpen = false;
  for (let i = 0; i < at; i++) {
    if (q[i] === '\\' && isOpen) i++;
    else if (q[i] === '"') isOpen = !isOpen;
  }
  return isOpen;
}

/** The name around the caret; null: something else than a name belongs there. */
export function wordAt(q: string, caret: number): Word | null {
  if (isQuoted(q, caret)) return null;
  let start = caret;
  while (start > 0 && NAME.test(q[start - 1] as string)) start--;
  let end = caret;
  while (end < q.length && NAME.test(q[end] as string)) end++;
  const before = q.slice(0, start).trimEnd().at(-1) ?? '';
  return OPENS.has(before) ? { start, end, text: q.slice(start, caret) } : null;
}

/** Names that go on from what is written: those that begin so first. A whole name has no more. */
export function suggestions(word: Word, names: string[], most: number): string[] {
  const asked = fold(word.text);
  const scored = names.flatMap((name) => {
    const at = fold(name).indexOf(asked);
    return at < 0 ? [] : [{ name, rank: at === 0 ? 0 : 1 }];
  });
  const found = scored.sort((a, b) => a.rank - b.rank || a.name.localeCompare(b.name));
  const shown = found.slice(0, most).map((x) => x.name);
  return shown.length === 1 && shown[0] === word.text ? [] : shown;
}

export function putWord(q: string, word: Word, name: string): { q: string; caret: number } {
  return { q: q.slice(0, word.start) + name + q.slice(word.end), caret: word.start + name.length };
}

/** Whether "or" stands outside every parenthesis and text. */
function isEither(q: string): boolean {
  let depth = 0;
  for (let i = 0; i < q.length; i++) {
    if (isQuoted(q, i)) continue;
    if (q[i] === '(') depth++;
    else if (q[i] === ')') depth--;
    else if (q[i] === '|' && depth === 0) return true;
  }
  return false;
}

/** A further condition: beside what is there already, both have to hold. */
export function join(q: string, term: string): string {
  const left = q.trim().replace(/;$/, '');
  if (left === '') return term;
  return `${isEither(left) ? `(${left})` : left};${term}`;
}
