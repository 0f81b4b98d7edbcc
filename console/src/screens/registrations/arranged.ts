/** The order of the list: what fails first, then what answers, then what nobody asked yet. */

import type { RegistrationState } from '../../api/registrations';

const ORDER = ['failed', 'ok', ''];

export function arranged(all: RegistrationState[]): RegistrationState[] {
  return [...all].sort(
    (a, b) =>
      ORDER.indexOf(a.status) - ORDER.indexOf(b.status) ||
      (a.name || a.id).localeCompare(b.name || b.id),
  );
}
