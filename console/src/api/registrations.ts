/** Registered context sources: the list of the console's API, deletion through the public one. */

import { ApiError } from './client';

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
  expires_at: string | null;
}

async function request(path: string, method: string): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(path, { method, credentials: 'same-origin' });
  } catch (error) {
    throw new ApiError(0, 'unreachable', String(error), '');
  }
  if (answer.ok) return answer;
  const problem = (await answer.json().catch(() => ({}))) as { title?: string; detail?: string };
  throw new ApiError(answer.status, problem.title ?? answer.statusText, problem.detail ?? '', '');
}

export async function registrations(): Promise<RegistrationState[]> {
  return (await (await request('/api/v1/registrations', 'GET')).json()) as RegistrationState[];
}

export async function remove(registration: string): Promise<void> {
  await request(`/ngsi-ld/v1/csourceRegistrations/${encodeURIComponent(registration)}`, 'DELETE');
}
