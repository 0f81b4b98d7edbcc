/** The whole map style: base map below, live things above. */

import type { LayerSpecification, Map as MapLibre, StyleSpecification } from 'maplibre-gl';
import { basemapLayers, basemapSource, type Manifest } from './basemap';
import type { Palette } from './palette';

export const THINGS = 'things';
/** The selected thing alone: it is seen even while its neighbours stand in a cluster. */
export const CHOSEN = 'chosen';
const SCALED = ['icon-size', 'text-size'] as const;
const IS_CLUSTER = ['has', 'point_count'];
const IS_THING = ['!', IS_CLUSTER];
const state = (name: string, yes: unknown, no: unknown) => [
  'case',
  ['boolean', ['feature-state', name], false],
  yes,
  no,
];

function clusterLayers(p: Palette, scale: number): unknown[] {
  const size = ['step', ['get', 'point_count'], 12 * scale, 10, 15 * scale, 100, 19 * scale, 1000, 24 * scale];
  return [
    {
      id: 'cluster',
      type: 'circle',
      source: THINGS,
      filter: IS_CLUSTER,
      paint: {
        'circle-radius': size,
        'circle-color': p.cluster,
        'circle-stroke-color': p.clusterEdge,
        'circle-stroke-width': 1.5 * scale,
      },
    },
    {
      id: 'cluster-count',
      type: 'symbol',
      source: THINGS,
      filter: IS_CLUSTER,
      layout: {
        'text-field': ['get', 'point_count_abbreviated'],
        'text-font': ['Noto Sans Medium'],
        'text-size': 12 * scale,
        'text-allow-overlap': true,
      },
      paint: { 'text-color': p.ink },
    },
  ];
}

const NAMED_LABEL = [
  'format',
  ['get', 'label'],
  {},
  '\n',
  {},
  ['get', 'name'],
  { 'font-scale': 0.85 },
];

function symbols(id: string, source: string, p: Palette, scale: number, text: unknown, gap = 0.75): unknown {
  return {
    id,
    type: 'symbol',
    source,
    filter: IS_THING,
    layout: {
      'icon-image': ['get', 'icon'],
      'icon-size': scale,
      'icon-allow-overlap': true,
      'text-field': text,
      'text-font': ['Noto Sans Medium'],
      'text-size': 12.5 * scale,
      'text-anchor': 'top',
      'text-offset': [0, gap],
      'text-max-width': 11,
      'text-optional': true,
    },
    paint: {
      'text-color': state('lost', p.faded, p.ink),
      'text-halo-color': p.halo,
      'text-halo-width': 1.6 * scale,
      'icon-opacity': state('lost', 0.55, 1),
    },
  };
}

function ring(id: string, source: string, color: string, radius: number, width: unknown): unknown {
  return {
    id,
    type: 'circle',
    source,
    filter: IS_THING,
    paint: {
      'circle-radius': radius,
      'circle-color': 'rgba(0,0,0,0)',
      'circle-stroke-color': color,
      'circle-stroke-width': width,
    },
  };
}

function thingLayers(p: Palette, scale: number): unknown[] {
  const text = ['step', ['zoom'], ['get', 'label'], 10.5, NAMED_LABEL];
  return [
    ring('thing-ring', THINGS, p.clusterEdge, 12 * scale, state('fresh', 1.5 * scale, 0)),
    symbols('thing', THINGS, p, scale, text),
    ring('chosen-ring', CHOSEN, p.select, 15 * scale, 3 * scale),
    symbols('chosen', CHOSEN, p, scale, NAMED_LABEL, 1.3),
  ];
}

export function clusterOptions(scale: number) {
  return { cluster: true, clusterRadius: 24 * scale, clusterMaxZoom: 9 };
}

export function mapStyle(p: Palette, manifest: Manifest, scale: number): StyleSpecification {
  const style: StyleSpecification = {
    version: 8,
    name: 'dothi',
    sources: {
      ...basemapSource(manifest),
      [THINGS]: {
        type: 'geojson',
        data: { type: 'FeatureCollection', features: [] },
        ...clusterOptions(scale),
      },
      [CHOSEN]: { type: 'geojson', data: { type: 'FeatureCollection', features: [] } },
    },
    layers: [
      ...basemapLayers(p, manifest, scale),
      ...(clusterLayers(p, scale) as LayerSpecification[]),
      ...(thingLayers(p, scale) as LayerSpecification[]),
    ],
  };
  if (manifest.has_glyphs) style.glyphs = `${location.origin}/basemap/fonts/{fontstack}/{range}.pbf`;
  return style;
}

/** Change colours and sizes of a map in place; its sources keep their data. */
export function restyle(map: MapLibre, style: StyleSpecification): void {
  for (const layer of style.layers) {
    for (const [name, value] of Object.entries(layer.paint ?? {}))
      map.setPaintProperty(layer.id, name as never, value as never);
    for (const name of SCALED) {
      const value = (layer.layout as Record<string, number> | undefined)?.[name];
      if (value !== undefined) map.setLayoutProperty(layer.id, name, value);
    }
  }
}
