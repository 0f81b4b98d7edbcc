/** Asking again and again, for what the live picture does not carry. */

import { untrack } from 'svelte';
import { ApiError } from '../api/client';

/** Call inside a component. What was known stays while the hub cannot answer: a lost connection has
 * a banner of its own. */
export function poll(ask: () => Promise<void>, everyMs: number): void {
  const patiently = async (): Promise<void> => {
    try {
      await ask();
    } catch (error) {
      if (!(error instanceof ApiError && error.mayPass)) throw error;
    }
  };
  $effect(() => {
    untrack(() => void patiently());
    const timer = setInterval(() => void patiently(), everyMs);
    return () => clearInterval(timer);
  });
}
