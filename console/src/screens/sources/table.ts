/** Order and choice of the rows of the source table: pure. */

import type { SourceState, SourceView } from '../../api/types';
import { fold, matches } from '../../format/fold';

export const COLUMNS = [
  'name',
  'state',
  'kind',
  'per_minute',
  'delay_ms',
  'received',
  'stored',
  'rejected',
  'duplicate',
  'last_received_at',
] as const;
export type Column = (typeof COLUMNS)[number];

export interface Order {
  column: Column;
  isDescending: boolean;
}

/** Worst first: what is silent needs a person sooner than what is live. */
const URGENCY: Record<SourceState, number> = { silent: 0, late: 1, never: 2, live: 3 };
const collator = new Intl.Collator('vi', { numeric: true });

/** `column` or `-column` (descending); by name when it is none. */
export function parseOrder(text: string | null): Order {
  const name = (text ?? '').replace(/^-/, '') as Column;
  if (!COLUMNS.includes(name)) return { column: 'name', isDescending: false };
  return { column: name, isDescending: text?.startsWith('-') ?? false };
}

function compare(a: SourceView, b: SourceView, column: Column): number {
  if (column === 'state') return URGENCY[a.state] - URGENCY[b.state];
  const x = a[column];
  const y = b[column];
  if (x === y) return 0;
  if (x === null) return -1;
  if (y === null) return 1;
  if (typeof x === 'number' && typeof y === 'number') return x - y;
  return collator.compare(String(x), String(y));
}

export function arrange(
  sources: Iterable<SourceView>,
  filter: { text: string; state: string | null },
  order: Order,
): SourceView[] {
  const question = fold(filter.text.trim());
  const found = [...sources].filter(
    (s) =>
      (!filter.state || s.state === filter.state) &&
      (question === '' || matches(`${s.name} ${s.id} ${s.owner} ${s.kind}`, question)),
  );
  const sign = order.isDescending ? -1 : 1;
  return found.sort(
    (a, b) => sign * compare(a, b, order.column) || collator.compare(a.name || a.id, b.name || b.id),
  );
}
