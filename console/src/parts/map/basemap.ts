/** The base map: which archive the hub serves, and its layers in greys. */

import type { LayerSpecification, SourceSpecification } from 'maplibre-gl';
import type { Palette } from './palette';

/** Answer of GET /basemap/manifest.json. */
export interface Manifest {
  /** File name of the PMTiles archive; null: none is configured. */
  tiles: string | null;
  has_glyphs: boolean;
  attribution: string;
  /** Roads are only a sketch and must say so. */
  is_schematic: boolean;
}

export const NO_BASEMAP: Manifest = {
  tiles: null,
  has_glyphs: false,
  attribution: '',
  is_schematic: false,
};

export async function loadManifest(): Promise<Manifest> {
  const answer = await fetch('/basemap/manifest.json');
  return answer.ok ? ((await answer.json()) as Manifest) : NO_BASEMAP;
}

/** Style expressions are built from parts, which the type of a whole layer cannot follow. */
const layerOf = (parts: unknown) => parts as LayerSpecification;

const BASE = 'base';
const REGULAR = ['Noto Sans Regular'];
const MEDIUM = ['Noto Sans Medium'];
const ITALIC = ['Noto Sans Italic'];

export function basemapSource(manifest: Manifest): Record<string, SourceSpecification> {
  if (!manifest.tiles) return {};
  const url = `pmtiles://${location.origin}/basemap/${encodeURIComponent(manifest.tiles)}`;
  return { [BASE]: { type: 'vector', url, attribution: manifest.attribution } };
}

function fill(id: string, color: string): LayerSpecification {
  return { id, type: 'fill', source: BASE, 'source-layer': id, paint: { 'fill-color': color } };
}

function line(id: string, from: string, color: string, width: number): LayerSpecification {
  return {
    id,
    type: 'line',
    source: BASE,
    'source-layer': from,
    minzoom: 5.5,
    paint: { 'line-color': color, 'line-width': width },
  };
}

function waterway(p: Palette, scale: number): LayerSpecification {
  const width = (perPixel: number, least: number) => [
    'max',
    least * scale,
    ['/', ['coalesce', ['get', 'width_m'], 20], perPixel],
  ];
  return layerOf({
    id: 'waterway',
    type: 'line',
    source: BASE,
    'source-layer': 'waterway',
    layout: { 'line-cap': 'round', 'line-join': 'round' },
    paint: {
      'line-color': p.water,
      'line-width': [
        'interpolate',
        ['exponential', 2],
        ['zoom'],
        6,
        0.6,
        9,
        width(300, 1.2),
        13,
        width(19, 2),
      ],
    },
  });
}

function roads(p: Palette, scale: number): LayerSpecification[] {
  const isRail = ['==', ['get', 'kind'], 'rail'];
  const kinds = (trunk: number, primary: number, other: number) => [
    'match',
    ['get', 'kind'],
    'trunk',
    trunk * scale,
    'primary',
    primary * scale,
    other * scale,
  ];
  const width = (extra: number) => [
    'interpolate',
    ['linear'],
    ['zoom'],
    6.5,
    kinds(1.2 + extra, 1 + extra, 0.5 + extra / 2),
    13,
    kinds(5 + extra, 4 + extra, 2.5 + extra),
  ];
  const shape = (id: string, color: string, extra: number) => ({
    id,
    type: 'line',
    source: BASE,
    'source-layer': 'road',
    minzoom: 6.5,
    filter: ['!', isRail],
    layout: { 'line-cap': 'round', 'line-join': 'round' },
    paint: { 'line-color': color, 'line-width': width(extra) },
  });
  const rail = {
    id: 'rail',
    type: 'line',
    source: BASE,
    'source-layer': 'road',
    minzoom: 8,
    filter: isRail,
    paint: { 'line-color': p.rail, 'line-width': scale, 'line-dasharray': [4, 3] },
  };
  return [shape('road-edge', p.roadEdge, 0.8), shape('road', p.road, 0), rail].map(layerOf);
}

interface Label {
  id: string;
  from: string;
  filter: unknown;
  field: unknown;
  font: string[];
  size: number;
  color: string;
  zoom: [number, number];
  isAlongLine?: boolean;
}

function label(p: Palette, scale: number, x: Label): LayerSpecification {
  return layerOf({
    id: x.id,
    type: 'symbol',
    source: BASE,
    'source-layer': x.from,
    minzoom: x.zoom[0],
    maxzoom: x.zoom[1],
    filter: x.filter,
    layout: {
      'text-field': x.field,
      'text-font': x.font,
      'text-size': x.size * scale,
      'text-max-width': 7,
      'text-padding': 6,
      'symbol-placement': x.isAlongLine ? 'line' : 'point',
    },
    paint: { 'text-color': x.color, 'text-halo-color': p.halo, 'text-halo-width': 1.3 * scale },
  });
}

function labels(p: Palette, scale: number): LayerSpecification[] {
  const name = ['get', 'name'];
  const kind = (...kinds: string[]) => ['in', ['get', 'kind'], ['literal', kinds]];
  return [
    label(p, scale, { id: 'road-ref', from: 'road', filter: ['has', 'ref'], field: ['get', 'ref'],
      font: REGULAR, size: 10, color: p.label, zoom: [9.5, 24], isAlongLine: true }),
    label(p, scale, { id: 'river-name', from: 'waterway', filter: ['has', 'name'], field: name,
      font: ITALIC, size: 11, color: p.labelWater, zoom: [8, 24], isAlongLine: true }),
    label(p, scale, { id: 'poi-name', from: 'poi', filter: ['has', 'name'], field: name,
      font: REGULAR, size: 10, color: p.label, zoom: [12, 24] }),
    label(p, scale, { id: 'ward-name', from: 'place', filter: kind('ward'), field: ['get', 'fullName'],
      font: REGULAR, size: 11, color: p.label, zoom: [10, 24] }),
    label(p, scale, { id: 'district-name', from: 'place', filter: kind('district'), field: name,
      font: REGULAR, size: 11, color: p.label, zoom: [8.2, 10] }),
    label(p, scale, { id: 'province-name', from: 'place', filter: kind('province', 'archipelago', 'sea'),
      field: name, font: MEDIUM, size: 12, color: p.label, zoom: [0, 9] }),
  ];
}

/** Ground, borders, water, roads, names: from the back to the front. */
export function basemapLayers(p: Palette, manifest: Manifest, scale: number): LayerSpecification[] {
  const ground: LayerSpecification = {
    id: 'ground',
    type: 'background',
    paint: { 'background-color': manifest.tiles ? p.sea : p.land },
  };
  if (!manifest.tiles) return [ground];
  return [
    ground,
    fill('land', p.land),
    fill('province', p.province),
    fill('water', p.water),
    waterway(p, scale),
    line('ward-line', 'ward', p.ward, 0.7 * scale),
    line('district-line', 'district', p.district, scale),
    line('former-line', 'province_2024', p.former, 1.6 * scale),
    ...roads(p, scale),
    ...labels(p, scale),
  ];
}
