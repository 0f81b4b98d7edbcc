/** What somebody is about to do to dated limits. */

import type { DatedValue, LimitKey, LimitTable } from '../../api/rules';

export type Acting =
  | { kind: 'table' }
  | { kind: 'add'; table: string }
  | { kind: 'end' | 'verify'; table: LimitTable; value: DatedValue };

export function keyOf({ level, entity, valid_from }: DatedValue): LimitKey {
  return { level, entity, valid_from };
}
