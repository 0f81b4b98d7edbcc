/** The map itself, outside the framework: made once, told what to show. */

import {
  AttributionControl,
  Map as MapLibre,
  ScaleControl,
  addProtocol,
  setWorkerUrl,
  type GeoJSONSource,
  type LngLatBoundsLike,
  type MapGeoJSONFeature,
  type MapMouseEvent,
} from 'maplibre-gl';
import 'maplibre-gl/dist/maplibre-gl.css';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url';
import { Protocol } from 'pmtiles';
import type { EntityView } from '../../api/types';
import { t } from '../../i18n/text';
import { ALARMS, AlarmMarks } from './alarm_marks';
import type { Manifest } from './basemap';
import type { View } from './features';
import { MapFeed } from './feed';
import { putMarks } from './marks';
import { paletteOf } from './palette';
import { THINGS, clusterOptions, mapStyle, restyle } from './style';

setWorkerUrl(workerUrl);
addProtocol('pmtiles', new Protocol().tile);

export interface Camera {
  lon: number;
  lat: number;
  zoom: number;
}

export interface Box {
  west: number;
  south: number;
  east: number;
  north: number;
}

export interface Look {
  isDark: boolean;
  isHighContrast: boolean;
  /** 1: symbols, labels and lines as planned for 16 px text. */
  scale: number;
}

export interface Options {
  container: HTMLElement;
  manifest: Manifest;
  camera: Camera | null;
  /** Without a camera: what is to be seen whole at first. */
  box?: Box | null;
  title: string;
  look: Look;
  credits: string[];
  /** A small map folds its credits into a button. */
  isSmall?: boolean;
  entities: () => ReadonlyMap<string, EntityView>;
  view: () => View;
  onselect: (id: string | null) => void;
  /** `isPerson`: moved by hand, key or button, not by the program. */
  onmove: (camera: Camera, box: Box, isPerson: boolean) => void;
}

/** Where a map without entities looks: the two provinces of the example. */
const DEFAULT_BOUNDS: LngLatBoundsLike = [105.9, 9.5, 107.1, 11.6];
/** Goes with moves that a person asked for by a button. */
const BY_PERSON = { isPerson: true };

function boundsOf({ west, south, east, north }: Box): LngLatBoundsLike {
  return [west, south, east, north];
}

export class LiveMap {
  readonly feed: MapFeed;
  readonly alarms: AlarmMarks;
  private readonly map: MapLibre;
  private look: Look;

  constructor(private readonly options: Options) {
    const { camera } = options;
    this.look = options.look;
    this.map = new MapLibre({
      container: options.container,
      style: mapStyle(paletteOf(this.look), options.manifest, this.look.scale),
      ...(camera ? { center: [camera.lon, camera.lat], zoom: camera.zoom } : { bounds: options.box ? boundsOf(options.box) : DEFAULT_BOUNDS }),
      minZoom: 4,
      maxZoom: 17,
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      locale: {
        'Map.Title': options.title,
        'AttributionControl.ToggleAttribution': t('map_credits'),
      },
      fadeDuration: 0,
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.keyboard.disableRotation();
    const isSmall = options.isSmall ?? false;
    this.map.addControl(new AttributionControl({ compact: isSmall, customAttribution: options.credits }));
    this.map.addControl(new ScaleControl({ maxWidth: 120 * this.look.scale }), 'top-right');
    this.alarms = new AlarmMarks(this.map);
    this.feed = new MapFeed(this.map, options.entities, options.view);
    this.map.once('style.load', () => this.begin());
    this.listen();
  }

  restyle(look: Look): void {
    const hasGrown = look.scale !== this.look.scale;
    this.look = look;
    if (!this.map.isStyleLoaded() && !this.map.getLayer('thing')) return;
    const palette = paletteOf(look);
    restyle(this.map, mapStyle(palette, this.options.manifest, look.scale));
    if (hasGrown) this.map.getSource<GeoJSONSource>(THINGS)?.setClusterOptions(clusterOptions(look.scale));
    putMarks(this.map, palette.halo);
    this.alarms.restyle(look.scale);
  }

  zoomBy(steps: number): void {
    this.map.easeTo({ zoom: this.map.getZoom() + steps }, BY_PERSON);
  }

  /** Move the view by parts of its width and height: to the east and to the south. */
  panBy(east: number, south: number): void {
    const { clientWidth, clientHeight } = this.map.getContainer();
    this.map.panBy([east * clientWidth, south * clientHeight], {}, BY_PERSON);
  }

  /** Bring an entity into view when it is not. */
  reveal(lon: number, lat: number): void {
    const isSeen = this.map.getBounds().contains([lon, lat]);
    const zoom = Math.max(this.map.getZoom(), 11);
    if (!isSeen || this.map.getZoom() < 10.5)
      this.map.easeTo({ center: [lon, lat], zoom });
  }

  /** The same at once, at no less than this zoom: a map that changes its size drops its glides. */
  jumpTo(lon: number, lat: number, least: number): void {
    const zoom = Math.max(this.map.getZoom(), least);
    if (!this.map.getBounds().contains([lon, lat]) || zoom > this.map.getZoom())
      this.map.jumpTo({ center: [lon, lat], zoom });
  }

  /** See every entity; `isPerson`: somebody asked for it. */
  fitAll(isPerson = false): void {
    const bounds = this.bounds();
    // Of the size that it has now: it notices a change itself, but later.
    this.map.resize();
    const { clientWidth, clientHeight } = this.map.getContainer();
    // A small map keeps most of its room for what stands on it.
    const most = Math.min(50 * this.look.scale, clientWidth / 6, clientHeight / 6);
    // Credits, where they are not folded, cover the lower edge.
    const credits = this.options.isSmall ? 0 : this.creditsPx();
    const padding = { top: most, right: most, bottom: most + credits, left: most };
    if (bounds) this.map.fitBounds(bounds, { padding, maxZoom: 12 }, { isPerson });
  }

  remove(): void {
    this.feed.stop();
    this.map.remove();
  }

  private begin(): void {
    putMarks(this.map, paletteOf(this.look).halo);
    this.alarms.begin(this.look.scale);
    // Unfolded it would cover half of a small map; a click shows it.
    if (this.options.isSmall)
      this.options.container.querySelector('.maplibregl-ctrl-attrib')?.removeAttribute('open');
    this.feed.refresh();
    this.tellMove(false);
  }

  private creditsPx(): number {
    return this.map.getContainer().querySelector('.maplibregl-ctrl-attrib')?.clientHeight ?? 0;
  }

  private bounds(): LngLatBoundsLike | null {
    const placed = [...this.options.entities().values()].filter((e) => e.lon !== null && e.lat !== null);
    if (placed.length === 0) return null;
    const lons = placed.map((e) => e.lon as number);
    const lats = placed.map((e) => e.lat as number);
    return [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)];
  }

  private listen(): void {
    this.map.on('click', (event) => void this.click(event));
    this.map.on('moveend', (event) => {
      const { originalEvent, isPerson } = event as { originalEvent?: Event; isPerson?: boolean };
      this.tellMove(Boolean(originalEvent) || isPerson === true);
    });
    for (const layer of ['thing', 'cluster', ALARMS]) {
      this.map.on('mouseenter', layer, () => (this.map.getCanvas().style.cursor = 'pointer'));
      this.map.on('mouseleave', layer, () => (this.map.getCanvas().style.cursor = ''));
    }
  }

  private async click(event: MapMouseEvent): Promise<void> {
    const { x, y } = event.point;
    // A target of 24 px at least: a mark is 15 px wide.
    const near: [[number, number], [number, number]] = [[x - 6, y - 6], [x + 6, y + 6]];
    const hits = this.map.queryRenderedFeatures(near, { layers: ['chosen', ALARMS, 'thing', 'cluster'] });
    const [top] = hits;
    if (!top) return this.options.onselect(null);
    const cluster = top.properties['cluster_id'] as number | undefined;
    if (cluster === undefined) return this.options.onselect(this.nextOf(hits));
    const source = this.map.getSource<GeoJSONSource>(THINGS);
    const zoom = (await source?.getClusterExpansionZoom(cluster)) ?? this.map.getZoom() + 2;
    this.map.easeTo({ center: event.lngLat, zoom }, BY_PERSON);
  }

  /** Where several things stand at one place, each click takes the next of them. */
  private nextOf(hits: MapGeoJSONFeature[]): string {
    const ids = [...new Set(hits.flatMap((h) => h.properties['entity'] as string | undefined ?? []))];
    const at = ids.indexOf(this.feed.selected ?? '');
    return ids[(at + 1) % ids.length] as string;
  }

  private tellMove(isPerson: boolean): void {
    const c = this.map.getCenter();
    const b = this.map.getBounds();
    this.options.onmove(
      { lon: c.lng, lat: c.lat, zoom: this.map.getZoom() },
      { west: b.getWest(), south: b.getSouth(), east: b.getEast(), north: b.getNorth() },
      isPerson,
    );
  }
}
