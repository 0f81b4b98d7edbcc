/** Keeps the visible page of alarms: asked for anew when filters or alarms change. */

import { alarms, type AlarmCounts, type AlarmView } from '../../api/alarms';
import { ApiError } from '../../api/client';
import { liveAlarms } from '../../live/live_alarms.svelte';
import { route } from '../../state/route.svelte';
import { PAGE, queryOf } from './filters';

/** Changes are gathered for this long: a storm of alarms is a few questions and not thousands. */
const GATHER_MS = 250;
/** Without the live picture the list is asked for so often. */
const EVERY_MS = 10_000;

export class AlarmList {
  items = $state.raw<AlarmView[] | null>(null);
  counts = $state.raw<AlarmCounts | null>(null);
  next = $state.raw<string | null>(null);
  problem = $state.raw<unknown>(null);
  private timer: ReturnType<typeof setTimeout> | undefined;
  private asked: AbortController | null = null;

  /** Call inside a component. */
  constructor() {
    $effect(() => {
      void route.place.params.toString();
      void this.load();
    });
    $effect(() => {
      void liveAlarms.tick;
      this.schedule();
    });
    $effect(() => {
      const every = setInterval(() => this.schedule(), EVERY_MS);
      return () => {
        clearInterval(every);
        clearTimeout(this.timer);
        this.asked?.abort();
      };
    });
  }

  async load(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.asked?.abort();
    const asked = new AbortController();
    this.asked = asked;
    const { params } = route.place;
    try {
      const query = { ...queryOf(params), after: params.get('after') ?? '', limit: PAGE };
      const page = await alarms.page(query, asked.signal);
      if (asked.signal.aborted) return;
      this.items = page.items;
      this.counts = page.counts;
      this.next = page.next;
      this.problem = null;
    } catch (error) {
      if (asked.signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      this.problem = error;
    }
  }

  /** What an action answered stands at once; the next answer of the hub tells the rest. */
  put(changed: AlarmView[]): void {
    const by = new Map(changed.map((view) => [view.id, view]));
    this.items = this.items?.map((view) => by.get(view.id) ?? view) ?? null;
  }

  private schedule(): void {
    this.timer ??= setTimeout(() => void this.load(), GATHER_MS);
  }
}
