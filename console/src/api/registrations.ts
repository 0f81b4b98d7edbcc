/** Registered context sources: the list of the console's API, deletion through the public one. */

import { get, request } from './client';

export interface RegistrationState {
  id: string;
  name: string;
  endpoint: string;
  mode: 'inclusive' | 'exclusive' | 'redirect' | 'auxiliary';
  /** Types and attributes that it is registered for, in short. */
  about: string;
  status: '' | 'ok' | 'failed';
  times_sent: number;
  times_failed: number;
  last_success_at: string | null;
  last_failure_at: string | null;
  /** What went wrong then. */
  last_error: string;
  expires_at: string | null;
}

export const registrations = (): Promise<RegistrationState[]> => get('/registrations');

export async function remove(registration: string): Promise<void> {
  const path = `/ngsi-ld/v1/csourceRegistrations/${encodeURIComponent(registration)}`;
  await request(path, { method: 'DELETE' });
}
