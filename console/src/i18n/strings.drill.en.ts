/** Words about drills. */

import type { drillVi } from './strings.drill.vi';

export const drillEn: typeof drillVi = {
  drill: 'Drill',
  drill_fenced: 'Nothing is sent outside',
  drill_clock: '{elapsed} / {duration} · {speed}×',
  drill_over: 'The scenario is over',
  drill_simulated: 'Simulated values',
  drill_replayed: 'Replayed values',
  drill_calls: 'Calls ({count})',
  drill_no_calls: 'No calls so far.',
  drill_refused: '{count} attempts to send were stopped',
};
