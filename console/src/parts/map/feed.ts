/** Feeds the map outside the framework: source diffs for what changed, feature state for emphasis. */

import type { Feature } from 'geojson';
import type { GeoJSONFeatureDiff, GeoJSONSource, GeoJSONSourceDiff, Map as MapLibre } from 'maplibre-gl';
import type { EntityView } from '../../api/types';
import type { Changes } from '../../live/merge';
import { isSamePoint, pointOf, type Point, type View } from './features';
import { CHOSEN, THINGS } from './style';

/** Pushes are gathered for this long: clusters are made anew by each. */
const GATHER_MS = 400;
const FRESH_MS = 1200;
const CHOSEN_NUMBER = 1;

export class MapFeed {
  selected: string | null = null;
  private readonly numbers = new Map<string, number>();
  private readonly drawn = new Map<string, Point>();
  /** What stands in the source of the chosen one. */
  private chosen: Point | undefined;
  private pending = new Set<string>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private isLost = false;
  private next = 1;

  constructor(
    private readonly map: MapLibre,
    private readonly entities: () => ReadonlyMap<string, EntityView>,
    private readonly view: () => View,
  ) {}

  take(changes: Changes): void {
    if (changes.reset) return this.refresh();
    for (const id of changes.changed) this.pending.add(id);
    for (const id of changes.gone) this.pending.add(id);
    this.schedule();
  }

  /** Look at every entity again: layers, language, staleness or everything changed. */
  refresh(): void {
    for (const id of this.entities().keys()) this.pending.add(id);
    for (const id of this.drawn.keys()) this.pending.add(id);
    this.schedule();
  }

  select(id: string | null): void {
    this.selected = id;
    this.drawChosen();
  }

  setLost(isLost: boolean): void {
    this.isLost = isLost;
    for (const id of this.drawn.keys()) this.mark(id, { lost: isLost });
    this.markChosen();
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private schedule(): void {
    if (this.timer !== undefined || this.pending.size === 0) return;
    this.timer = setTimeout(() => this.push(), GATHER_MS);
  }

  private push(): void {
    this.timer = undefined;
    const diff: Required<Pick<GeoJSONSourceDiff, 'add' | 'update' | 'remove'>> = {
      add: [],
      update: [],
      remove: [],
    };
    const view = this.view();
    const fresh: string[] = [];
    for (const id of this.pending) {
      const entity = this.entities().get(id);
      const isNews = this.stage(id, entity ? pointOf(entity, view) : null, diff);
      if (isNews) fresh.push(id);
    }
    this.pending = new Set();
    if (!diff.add.length && !diff.update.length && !diff.remove.length) return;
    const source = this.map.getSource<GeoJSONSource>(THINGS);
    void source?.updateData(diff);
    if (this.isLost)
      for (const feature of diff.add) this.mark(String(feature.properties?.['entity']), { lost: true });
    this.flash(fresh);
    this.drawChosen();
    this.map.getContainer().dataset['entities'] = String(this.drawn.size);
  }

  /** True when an entity that already stood there shows another value. */
  private stage(
    id: string,
    point: Point | null,
    diff: Required<Pick<GeoJSONSourceDiff, 'add' | 'update' | 'remove'>>,
  ): boolean {
    const before = this.drawn.get(id);
    const number = this.number(id);
    if (!point) {
      if (before) diff.remove.push(number);
      this.drawn.delete(id);
      return false;
    }
    if (before && isSamePoint(before, point)) return false;
    this.drawn.set(id, point);
    const feature = this.feature(number, point);
    if (!before) {
      diff.add.push(feature);
      return false;
    }
    const change: GeoJSONFeatureDiff = {
      id: number,
      addOrUpdateProperties: Object.entries(point.properties).map(([key, value]) => ({ key, value })),
    };
    if (before.lon !== point.lon || before.lat !== point.lat) change.newGeometry = feature.geometry;
    diff.update.push(change);
    return true;
  }

  /** Only where it changed: the map is drawn anew for every answer of its worker. */
  private drawChosen(): void {
    const point = this.selected === null ? undefined : this.drawn.get(this.selected);
    const before = this.chosen;
    const source = this.map.getSource<GeoJSONSource>(CHOSEN);
    if (!source || point === before || (point && before && isSamePoint(point, before))) return;
    this.chosen = point;
    const features = point ? [this.feature(CHOSEN_NUMBER, point)] : [];
    void source.setData({ type: 'FeatureCollection', features });
    this.markChosen();
  }

  private markChosen(): void {
    if (!this.map.getSource(CHOSEN)) return;
    this.map.setFeatureState({ source: CHOSEN, id: CHOSEN_NUMBER }, { lost: this.isLost });
  }

  private feature(id: number, point: Point): Feature {
    const geometry = { type: 'Point' as const, coordinates: [point.lon, point.lat] };
    return { type: 'Feature', id, geometry, properties: { ...point.properties } };
  }

  /** A thin ring for a moment around what has just changed. */
  private flash(ids: string[]): void {
    if (ids.length === 0 || ids.length > 300) return;
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
    for (const id of ids) this.mark(id, { fresh: true });
    setTimeout(() => {
      if (this.map.style) for (const id of ids) this.mark(id, { fresh: false });
    }, FRESH_MS);
  }

  private mark(id: string | null, state: Record<string, boolean>): void {
    if (id === null || !this.map.getSource(THINGS)) return;
    this.map.setFeatureState({ source: THINGS, id: this.number(id) }, state);
  }

  private number(id: string): number {
    let found = this.numbers.get(id);
    if (found === undefined) {
      found = this.next++;
      this.numbers.set(id, found);
    }
    return found;
  }
}
