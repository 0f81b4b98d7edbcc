/** The whole result as a file: page by page, so that the browser never holds one huge answer. */

import { ApiError, type Query } from '../../api/client';
import { ngsi } from '../../api/ngsi';
import { csvHead, csvLine } from './csv';

export type Format = 'json' | 'csv';

/** Entities in a file at most: more is a matter for the history's export or a query of the lake. */
export const MOST = 50_000;
const STEP = 500;

export class Exporting {
  format = $state<Format | null>(null);
  done = $state(0);
  problem = $state.raw<ApiError | null>(null);
  private stop: AbortController | null = null;

  /** Fetch and hand over the file; `attributes` are the columns of CSV. */
  async run(format: Format, query: Query, attributes: string[], lang: string): Promise<void> {
    this.cancel();
    const stop = (this.stop = new AbortController());
    this.format = format;
    this.done = 0;
    this.problem = null;
    try {
      const parts = await this.fetchAll(format, query, attributes, lang, stop.signal);
      save(new Blob(parts, { type: format === 'csv' ? 'text/csv' : 'application/json' }), `entities.${format}`);
    } catch (error) {
      if (stop.signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      this.problem = error;
    } finally {
      if (this.stop === stop) this.format = null;
    }
  }

  cancel(): void {
    this.stop?.abort();
    this.stop = null;
    this.format = null;
  }

  private async fetchAll(
    format: Format,
    query: Query,
    attributes: string[],
    lang: string,
    signal: AbortSignal,
  ): Promise<BlobPart[]> {
    // The byte order mark tells spreadsheets that the text is UTF-8.
    const parts: BlobPart[] = [format === 'csv' ? `\ufeff${csvHead(attributes)}` : '['];
    for (let offset = 0; offset < MOST; offset += STEP) {
      const { entities, hasNext } = await ngsi.page(query, STEP, offset, signal);
      const lines = entities.map((e) => (format === 'csv' ? csvLine(e, attributes, lang) : JSON.stringify(e)));
      if (format === 'csv') parts.push(lines.join(''));
      else parts.push((offset && lines.length ? ',\n' : '\n') + lines.join(',\n'));
      this.done = offset + entities.length;
      if (!hasNext) break;
    }
    if (format === 'json') parts.push('\n]\n');
    return parts;
  }
}

/** Hand a file to the person, as a download. */
export function save(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
