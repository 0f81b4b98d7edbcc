/** The types of the store with the names of their attributes; each counted when it is seen. */

import { ApiError } from '../../api/client';
import { ngsi, type NgsiType } from '../../api/ngsi';

const AT_ONCE = 3;

export class Types {
  all = $state.raw<NgsiType[] | null>(null);
  problem = $state.raw<ApiError | null>(null);
  /** Type -> entities; '' is all of them. */
  counts = $state.raw<ReadonlyMap<string, number>>(new Map());
  private waiting: string[] = [];
  private readonly asked = new Set<string>();
  private running = 0;
  private readonly stop = new AbortController();

  async load(): Promise<void> {
    this.problem = null;
    this.asked.clear();
    try {
      const found = await ngsi.types(this.stop.signal);
      this.all = found.sort((a, b) => a.typeName.localeCompare(b.typeName));
    } catch (error) {
      if (this.stop.signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      this.problem = error;
    }
  }

  /** Ask for the number of a type, once; a few questions at a time. */
  want(type: string): void {
    if (this.asked.has(type)) return;
    this.asked.add(type);
    this.waiting.push(type);
    this.next();
  }

  close(): void {
    this.waiting = [];
    this.stop.abort();
  }

  attributesOf(type: string): string[] {
    const named = (this.all ?? []).filter((one) => type === '' || one.typeName === type);
    return [...new Set(named.flatMap((one) => one.attributeNames))].sort((a, b) => a.localeCompare(b));
  }

  private next(): void {
    while (this.running < AT_ONCE && this.waiting.length) {
      // The newest first: who scrolls wants to know of what is seen now.
      void this.count(this.waiting.pop() as string);
    }
  }

  private async count(type: string): Promise<void> {
    this.running += 1;
    try {
      const total = await ngsi.count({ type, local: 'true' }, this.stop.signal);
      this.counts = new Map(this.counts).set(type, total);
    } catch (error) {
      if (!this.stop.signal.aborted && !(error instanceof ApiError)) throw error;
      this.asked.delete(type);
    } finally {
      this.running -= 1;
      this.next();
    }
  }
}
