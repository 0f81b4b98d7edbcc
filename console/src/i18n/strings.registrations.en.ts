/** English words of the screen of other context sources. */

import type { registrationsVi } from './strings.registrations.vi';

export const registrationsEn: Record<keyof typeof registrationsVi, string> = {
  title_registrations: 'Other brokers',
  regs_open: 'Other brokers',
  regs_back: 'Sources',
  regs_count: '{n} registered',
  regs_failing: '{n} cannot be asked',
  regs_none: 'No other broker is registered',
  regs_none_hint:
    'A system that knows another NGSI-LD broker registers it with POST /ngsi-ld/v1/csourceRegistrations; questions then reach it too.',
  regs_name: 'Broker',
  regs_state: 'State',
  regs_mode: 'Mode',
  regs_endpoint: 'Address',
  regs_sent: 'Requests',
  regs_failed: 'Failed',
  regs_success: 'Last success',
  regs_failure: 'Last failure',
  regs_actions: 'Actions',
  regs_never: 'never',
  regs_about: 'about {about}',
  regs_everything: 'everything',
  regs_until: 'until {time}',
  regs_state_ok: 'Answers',
  regs_state_failed: 'Fails',
  regs_state_idle: 'Not asked yet',
  regs_mode_inclusive: 'inclusive',
  regs_mode_exclusive: 'exclusive',
  regs_mode_redirect: 'redirect',
  regs_mode_auxiliary: 'auxiliary',
  regs_delete: 'Delete',
  regs_delete_of: 'Delete {id}',
  regs_delete_title: 'Delete registration',
  regs_delete_what: '{endpoint} will no longer be asked or told. Its own data stay there.',
};
