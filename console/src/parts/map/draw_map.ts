/** A small map to see areas on and to draw a polygon: click adds a corner, dragging moves one. */

import type { Feature, FeatureCollection } from 'geojson';
import {
  AttributionControl,
  Map as MapLibre,
  addProtocol,
  setWorkerUrl,
  type GeoJSONSource,
  type MapMouseEvent,
} from 'maplibre-gl';
import 'maplibre-gl/dist/maplibre-gl.css';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url';
import { Protocol } from 'pmtiles';
import { t } from '../../i18n/text';
import type { Manifest } from './basemap';
import type { Look } from './live_map';
import { paletteOf } from './palette';
import { mapStyle, restyle } from './style';

setWorkerUrl(workerUrl);
addProtocol('pmtiles', new Protocol().tile);

export type Corner = [lon: number, lat: number];

export interface DrawOptions {
  container: HTMLElement;
  manifest: Manifest;
  look: Look;
  title: string;
  credits: string[];
  onadd: (corner: Corner) => void;
  onmove: (index: number, corner: Corner) => void;
}

const AREAS = 'warned';
const CORNERS = 'corners';
const START: [number, number, number, number] = [105.9, 9.5, 107.1, 11.6];
const ROUND = 1e5;

function collection(features: Feature[]): FeatureCollection {
  return { type: 'FeatureCollection', features };
}

export class DrawMap {
  private readonly map: MapLibre;
  private isDrawing = false;
  private dragged: number | null = null;
  private rings: Corner[][] = [];
  private corners: Corner[] = [];
  private colour = '#888';

  constructor(private readonly options: DrawOptions) {
    const { look, manifest } = options;
    this.map = new MapLibre({
      container: options.container,
      style: mapStyle(paletteOf(look), manifest, look.scale),
      bounds: START,
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
    this.map.addControl(new AttributionControl({ compact: true, customAttribution: options.credits }));
    this.map.once('style.load', () => this.begin());
    this.map.on('click', (event) => this.click(event));
    this.map.on('mousedown', 'corners', (event) => this.take(event));
    this.map.on('mousemove', (event) => this.drag(event));
    this.map.on('mouseup', () => this.drop());
  }

  /** What is warned, in the colour of its level; the corners of the area that is drawn. */
  show(rings: Corner[][], corners: Corner[], colour: string): void {
    this.rings = rings;
    this.corners = corners;
    this.colour = colour;
    this.draw();
  }

  setDrawing(isDrawing: boolean): void {
    this.isDrawing = isDrawing;
    this.map.getCanvas().style.cursor = isDrawing ? 'crosshair' : '';
    if (isDrawing) this.map.doubleClickZoom.disable();
    else this.map.doubleClickZoom.enable();
  }

  /** See everything that is shown. */
  fit(): void {
    const all = this.rings.flat();
    if (all.length === 0) return;
    const lons = all.map(([lon]) => lon);
    const lats = all.map(([, lat]) => lat);
    this.map.fitBounds([Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)], {
      padding: 30,
      maxZoom: 13,
      animate: false,
    });
  }

  restyle(look: Look): void {
    if (!this.map.getLayer('thing')) return;
    restyle(this.map, mapStyle(paletteOf(look), this.options.manifest, look.scale));
  }

  remove(): void {
    this.map.remove();
  }

  private begin(): void {
    const { map } = this;
    map.addSource(AREAS, { type: 'geojson', data: collection([]) });
    map.addSource(CORNERS, { type: 'geojson', data: collection([]) });
    map.addLayer({ id: 'warned', type: 'fill', source: AREAS, paint: { 'fill-opacity': 0.35 } });
    map.addLayer({ id: 'warned-line', type: 'line', source: AREAS, paint: { 'line-width': 2.5 } });
    map.addLayer({
      id: 'corners',
      type: 'circle',
      source: CORNERS,
      paint: {
        'circle-radius': 7,
        'circle-color': '#ffffff',
        'circle-stroke-color': '#1c2126',
        'circle-stroke-width': 2.5,
      },
    });
    this.options.container.querySelector('.maplibregl-ctrl-attrib')?.removeAttribute('open');
    this.draw();
    this.fit();
  }

  private draw(): void {
    const { map } = this;
    if (!map.getLayer('warned')) return;
    map.setPaintProperty('warned', 'fill-color', this.colour);
    map.setPaintProperty('warned-line', 'line-color', '#1c2126');
    const areas = this.rings.map((ring) => ({
      type: 'Feature' as const,
      properties: {},
      geometry: { type: 'Polygon' as const, coordinates: [ring] },
    }));
    const corners = this.corners.map((corner, index) => ({
      type: 'Feature' as const,
      properties: { index },
      geometry: { type: 'Point' as const, coordinates: corner },
    }));
    void map.getSource<GeoJSONSource>(AREAS)?.setData(collection(areas));
    void map.getSource<GeoJSONSource>(CORNERS)?.setData(collection(corners));
    map.getContainer().dataset['rings'] = String(this.rings.length);
  }

  private click(event: MapMouseEvent): void {
    if (!this.isDrawing) return;
    const isOnCorner = this.map.queryRenderedFeatures(event.point, { layers: ['corners'] }).length > 0;
    if (!isOnCorner) this.options.onadd(place(event));
  }

  private take(event: MapMouseEvent & { features?: Feature[] }): void {
    const index = event.features?.[0]?.properties?.['index'] as number | undefined;
    if (!this.isDrawing || index === undefined) return;
    event.preventDefault();
    this.dragged = index;
  }

  private drag(event: MapMouseEvent): void {
    if (this.dragged !== null) this.options.onmove(this.dragged, place(event));
  }

  private drop(): void {
    this.dragged = null;
  }
}

function place(event: MapMouseEvent): Corner {
  const { lng, lat } = event.lngLat;
  return [Math.round(lng * ROUND) / ROUND, Math.round(lat * ROUND) / ROUND];
}
