/** The page of entities that the URL asks for, and how many match in all. */

import { ApiError, type Query } from '../../api/client';
import { ngsi, type NgsiEntity } from '../../api/ngsi';
import { live } from '../../live/live.svelte';
import { PAGE_SIZE } from './browse_url';

/** New and gone entities appear after this time; values come at once with the live picture. */
const REFRESH_MS = 30_000;

interface Asked {
  question: string;
  order: string;
  page: number;
}

export class Result {
  entities = $state.raw<NgsiEntity[]>([]);
  hasNext = $state(false);
  /** null: not counted yet. */
  total = $state<number | null>(null);
  isLoading = $state(true);
  problem = $state.raw<ApiError | null>(null);
  /** The question that `entities` answers; changes when another one is answered. */
  answered = $state('');
  private tick = $state(0);
  private counted = '';

  /**
   * Call inside a component.
   * @param ask the question and its order as texts (their JSON), and the page, counted from 1
   */
  constructor(ask: () => Asked) {
    $effect(() => {
      const timer = setInterval(() => {
        if (live.link === 'open' && !document.hidden) this.tick += 1;
      }, REFRESH_MS);
      return () => clearInterval(timer);
    });
    $effect(() => {
      const asked = ask();
      const isAgain = this.tick > 0 && this.counted === asked.question;
      const stop = new AbortController();
      void this.load(asked, isAgain, stop.signal);
      return () => stop.abort();
    });
  }

  reload(): void {
    this.counted = '';
    this.tick += 1;
  }

  private async load(asked: Asked, isAgain: boolean, signal: AbortSignal): Promise<void> {
    const { question, order, page } = asked;
    const query = { ...(JSON.parse(question) as Query), ...(JSON.parse(order) as Query) };
    const key = `${page} ${order} ${question}`;
    if (key !== this.answered) this.isLoading = true;
    if (question !== this.counted) this.total = null;
    try {
      const found = await ngsi.page(query, PAGE_SIZE, (page - 1) * PAGE_SIZE, signal);
      if (signal.aborted) return;
      this.entities = found.entities;
      this.hasNext = found.hasNext;
      this.answered = key;
      this.problem = null;
      this.isLoading = false;
      await this.count(question, isAgain, signal);
    } catch (error) {
      this.fail(error, signal);
    }
  }

  /** Page by page the number stays: only another question, or time, counts anew. */
  private async count(question: string, isAgain: boolean, signal: AbortSignal): Promise<void> {
    if (this.counted === question && !isAgain) return;
    const total = await ngsi.count(JSON.parse(question) as Query, signal);
    if (signal.aborted) return;
    this.total = total;
    this.counted = question;
  }

  private fail(error: unknown, signal: AbortSignal): void {
    if (signal.aborted) return;
    if (!(error instanceof ApiError)) throw error;
    this.isLoading = false;
    // A broken line leaves what is there: the banner says how old it is.
    if (error.status === 0 && this.answered !== '') return;
    this.problem = error;
    this.entities = [];
    this.total = null;
    this.counted = '';
    this.answered = '';
  }
}
