/** Keeps the lines of a chart loaded: anew when the question changes, again while time goes on. */

import { ApiError } from '../../api/client';
import { live } from '../../live/live.svelte';
import type { Line } from './lines';
import { loadLines, type Question } from './load';
import { refreshMs, type Range } from './range';

export class ChartLoader {
  lines = $state.raw<Line[]>([]);
  shownRange = $state.raw<[number, number]>([0, 1]);
  isCut = $state(false);
  isLoading = $state(true);
  problem = $state.raw<ApiError | null>(null);
  private tick = $state(0);

  /**
   * Call inside a component.
   * @param ask the question for a range that ends now; reads whatever it depends on
   */
  constructor(range: () => Range, ask: (range: Range) => Question) {
    $effect(() => {
      const every = refreshMs(range());
      if (every === null) return;
      const timer = setInterval(() => {
        if (live.link === 'open' && !document.hidden) this.tick += 1;
      }, every);
      return () => clearInterval(timer);
    });
    $effect(() => {
      void this.tick;
      const now = range();
      const stop = new AbortController();
      void this.load(ask(now), stop.signal);
      return () => stop.abort();
    });
  }

  retry(): void {
    this.problem = null;
    this.isLoading = true;
    this.tick += 1;
  }

  private async load(question: Question, signal: AbortSignal): Promise<void> {
    try {
      const { lines, isCut } = await loadLines(question, signal);
      if (signal.aborted) return;
      this.lines = lines;
      this.isCut = isCut;
      this.shownRange = [question.startMs, question.endMs];
      this.problem = null;
      this.isLoading = false;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      this.problem = error;
      this.isLoading = false;
    }
  }
}
