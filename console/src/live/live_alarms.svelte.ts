/** The open alarms of the live picture, and a sound when a new one wants somebody. */

import { isActive, needsPerson, type AlarmView } from '../api/alarms';
import { playAlarm } from '../state/alarm_sound.svelte';

class LiveAlarms {
  all = $state.raw<ReadonlyMap<number, AlarmView>>(new Map());
  /** Rises with every change. */
  tick = $state(0);

  readonly shown = $derived([...this.all.values()].filter((a) => a.suppressed.length === 0));
  readonly unacknowledged = $derived(this.shown.filter(needsPerson).length);
  /** The most urgent priority that waits for somebody; null: none. */
  readonly worst = $derived(
    this.shown.filter(needsPerson).reduce<number | null>((w, a) => Math.min(w ?? 9, a.priority), null),
  );

  snapshot(views: AlarmView[]): void {
    this.all = new Map(views.map((view) => [view.id, view]));
    this.tick += 1;
  }

  change(views: AlarmView[], closed: number[]): void {
    if (!views.length && !closed.length) return;
    const next = new Map(this.all);
    const isNews = views.some((view) => this.isNews(view, next.get(view.id)));
    for (const view of views) next.set(view.id, view);
    for (const id of closed) next.delete(id);
    this.all = next;
    this.tick += 1;
    if (isNews) playAlarm(Math.min(...views.filter(needsPerson).map((v) => v.priority)));
  }

  /** Sound for what is new, not for what changes: another state or owner makes none. */
  private isNews(view: AlarmView, before: AlarmView | undefined): boolean {
    if (!isActive(view) || !needsPerson(view) || view.suppressed.length || view.is_chattering) return false;
    return before === undefined || before.activations < view.activations || before.suppressed.length > 0;
  }
}

export const liveAlarms = new LiveAlarms();
