/** The pull connectors by their source, asked for again while the screen is open. */

import { api, ApiError } from '../../api/client';
import type { Pull } from '../../api/types';
import { live } from '../../live/live.svelte';

const REFRESH_MS = 15_000;

export class Pulls {
  private bySource = $state.raw<ReadonlyMap<string, Pull[]>>(new Map());

  /** Call inside a component. */
  constructor() {
    $effect(() => {
      const stop = new AbortController();
      void this.load(stop.signal);
      const timer = setInterval(() => {
        if (live.link === 'open' && !document.hidden) void this.load(stop.signal);
      }, REFRESH_MS);
      return () => {
        stop.abort();
        clearInterval(timer);
      };
    });
  }

  of(source: string): Pull[] {
    return this.bySource.get(source) ?? [];
  }

  /** The first connector of the source that failed in its last run. */
  failed(source: string): Pull | undefined {
    return this.of(source).find((pull) => pull.last_error !== '');
  }

  private async load(signal: AbortSignal): Promise<void> {
    try {
      const found = await api.pulls(signal);
      const bySource = new Map<string, Pull[]>();
      for (const pull of found) bySource.set(pull.source, [...(bySource.get(pull.source) ?? []), pull]);
      this.bySource = bySource;
    } catch (error) {
      // What was known stays; the banner tells of a lost hub.
      if (!(error instanceof ApiError) && !signal.aborted) throw error;
    }
  }
}
