/** Changing a subscription through the public NGSI-LD API. */

import { request } from './client';

const at = (subscription: string) => `/ngsi-ld/v1/subscriptions/${encodeURIComponent(subscription)}`;

export async function setActive(subscription: string, isActive: boolean): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  await request(at(subscription), { method: 'PATCH', headers, body: JSON.stringify({ isActive }) });
}

export async function remove(subscription: string): Promise<void> {
  await request(at(subscription), { method: 'DELETE' });
}
