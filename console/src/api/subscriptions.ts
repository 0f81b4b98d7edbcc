/** Changing a subscription through the public NGSI-LD API. */

import { ApiError } from './client';

const ROOT = '/ngsi-ld/v1/subscriptions/';

async function send(method: string, subscription: string, body?: unknown): Promise<void> {
  const init: RequestInit = { method, credentials: 'same-origin' };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { 'content-type': 'application/json' };
  }
  let answer: Response;
  try {
    answer = await fetch(ROOT + encodeURIComponent(subscription), init);
  } catch (error) {
    throw new ApiError(0, 'unreachable', String(error), '');
  }
  if (answer.ok) return;
  const problem = (await answer.json().catch(() => ({}))) as { title?: string; detail?: string };
  throw new ApiError(answer.status, problem.title ?? answer.statusText, problem.detail ?? '', '');
}

export const setActive = (subscription: string, isActive: boolean): Promise<void> =>
  send('PATCH', subscription, { isActive });

export const remove = (subscription: string): Promise<void> => send('DELETE', subscription);
