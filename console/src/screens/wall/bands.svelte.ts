/** What is normal for each station: the 5th to the 95th percentile of its last seven days. */

import { api, ApiError } from '../../api/client';
import type { EntityView, Layer } from '../../api/types';
import { layersOf, valueOf } from '../../state/domains';

export interface Band {
  low: number;
  high: number;
}

const DAYS_MS = 7 * 86_400_000;
const EVERY_MS = 15 * 60_000;
const MOST_SERIES = 60;

/** The numbers of a layer: stations with a value, and which series they are. */
export function stationsOf(layer: Layer, entities: Iterable<EntityView>, layers: Layer[]): EntityView[] {
  return [...entities].filter(
    (entity) =>
      layersOf(entity, layers).includes(layer) && valueOf(entity, layer.attribute)?.number != null,
  );
}

class Bands {
  /** `entity|attribute` -> its band; a station without history has none. */
  found = $state.raw<ReadonlyMap<string, Band>>(new Map());
  private asked = new Map<string, number>();

  /** Ask for the bands of a layer, unless that was done lately. */
  async want(layer: Layer, stations: EntityView[]): Promise<void> {
    const now = Date.now();
    if (!stations.length || now - (this.asked.get(layer.id) ?? 0) < EVERY_MS) return;
    this.asked.set(layer.id, now);
    const keys = stations.slice(0, MOST_SERIES).map((one) => `${one.id}|${layer.attribute}`);
    try {
      const answer = await api.aggregate({
        key: keys,
        start: new Date(now - DAYS_MS).toISOString(),
        end: new Date(now).toISOString(),
        fn: ['p05', 'p95'],
      });
      const next = new Map(this.found);
      for (const series of answer.series) {
        const low = (series['p05'] as (number | null)[] | undefined)?.[0];
        const high = (series['p95'] as (number | null)[] | undefined)?.[0];
        if (low != null && high != null) next.set(`${series.entity}|${series.attribute}`, { low, high });
      }
      this.found = next;
    } catch (error) {
      if (!(error instanceof ApiError && error.mayPass)) throw error;
      // The wall goes on without; it asks again a minute later.
      this.asked.set(layer.id, now - EVERY_MS + 60_000);
    }
  }
}

export const bands = new Bands();

export interface Standing {
  above: number;
  below: number;
  middle: number | null;
  low: number | null;
  high: number | null;
}

/** Where a layer stands: the middle of its values, the middle of its bands, and who is outside. */
export function standing(
  layer: Layer,
  stations: EntityView[],
  found: ReadonlyMap<string, Band>,
): Standing {
  let above = 0;
  let below = 0;
  const values: number[] = [];
  const lows: number[] = [];
  const highs: number[] = [];
  for (const station of stations) {
    const number = valueOf(station, layer.attribute)?.number;
    if (number == null) continue;
    values.push(number);
    const band = found.get(`${station.id}|${layer.attribute}`);
    if (!band) continue;
    lows.push(band.low);
    highs.push(band.high);
    if (number > band.high) above += 1;
    else if (number < band.low) below += 1;
  }
  return { above, below, middle: median(values), low: median(lows), high: median(highs) };
}

export function median(numbers: number[]): number | null {
  if (!numbers.length) return null;
  const sorted = [...numbers].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
