/** What somebody is about to suppress: pure. */

import type { Cause } from '../../api/alarms';
import { fromLocalInput } from '../../format/time';

/** Shelving has a dialog of its own. */
export const CAUSES: readonly Exclude<Cause, 'operator'>[] = ['maintenance', 'permit', 'parent', 'flood'];

export interface Draft {
  cause: Exclude<Cause, 'operator'>;
  rule: string;
  entity: string;
  /** None or one. */
  area: string[];
  parent: string;
  leastUrgent: number;
  permit: string;
  /** As a field of a day and time has it; empty: now. */
  from: string;
  until: string;
  reason: string;
}

function moment(text: string): string | undefined {
  const ms = fromLocalInput(text);
  return ms === null ? undefined : new Date(ms).toISOString();
}

/** As the API takes it: without what the cause has no use for. */
export function bodyOf(draft: Draft): Record<string, unknown> {
  return {
    cause: draft.cause,
    reason: draft.reason.trim(),
    from_at: moment(draft.from),
    until_at: moment(draft.until),
    rule: draft.rule,
    entity: draft.entity,
    area: draft.area[0] ?? '',
    ...(draft.cause === 'parent' ? { parent: draft.parent } : {}),
    ...(draft.cause === 'flood' ? { least_urgent: draft.leastUrgent } : {}),
    ...(draft.cause === 'permit' ? { permit: draft.permit.trim() } : {}),
  };
}

/** Whether everything is there that the cause wants. */
export function isReady(draft: Draft): boolean {
  const isBound = draft.rule !== '' || draft.entity !== '' || draft.area.length > 0;
  const wanted: Record<Draft['cause'], boolean> = {
    maintenance: isBound && draft.until !== '',
    permit: isBound && draft.permit.trim() !== '',
    parent: isBound && draft.parent !== '',
    flood: draft.until !== '',
  };
  return draft.reason.trim() !== '' && wanted[draft.cause];
}
