/** Alarms on the map: the mark of the most urgent one above each thing, as in the list. */

import type { Feature } from 'geojson';
import type { GeoJSONSource, LayerSpecification, Map as MapLibre } from 'maplibre-gl';
import { needsPerson, type AlarmView } from '../../api/alarms';

export const ALARMS = 'alarms';
const SIZE = 26;
const RATIO = 3;
type Corner = [number, number];
const CORNERS: Record<number, Corner[]> = {
  1: [[9, 2], [17, 2], [24, 9], [24, 17], [17, 24], [9, 24], [2, 17], [2, 9]],
  2: [[13, 1.5], [25, 24], [1, 24]],
  3: [[3, 3], [23, 3], [23, 23], [3, 23]],
};

function draw(priority: number, css: CSSStyleDeclaration, isKnown: boolean): ImageData {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = SIZE * RATIO;
  const c = canvas.getContext('2d');
  if (!c) throw new Error('no 2d canvas');
  const token = (name: string) => css.getPropertyValue(name).trim();
  c.scale(RATIO, RATIO);
  c.lineJoin = 'round';
  c.beginPath();
  const corners = CORNERS[priority];
  if (corners) for (const [x, y] of corners) c.lineTo(x, y);
  else c.arc(SIZE / 2, SIZE / 2, 11, 0, 2 * Math.PI);
  c.closePath();
  c.fillStyle = token(`--p${priority}`);
  c.fill();
  c.strokeStyle = token('--p-edge');
  c.lineWidth = isKnown ? 1.4 : 2.6;
  c.stroke();
  c.fillStyle = priority === 1 ? token('--p1-ink') : token('--p-ink');
  c.font = '600 14px "Noto Sans", sans-serif';
  c.textAlign = 'center';
  c.fillText(String(priority), SIZE / 2, priority === 2 ? 21 : 18.2);
  return c.getImageData(0, 0, canvas.width, canvas.height);
}

/** One mark per entity: the most urgent alarm, an unacknowledged one before a known one. */
export function worstByEntity(alarms: Iterable<AlarmView>): Map<string, AlarmView> {
  const rank = (a: AlarmView) => a.priority * 2 + (needsPerson(a) ? 0 : 1);
  const found = new Map<string, AlarmView>();
  for (const one of alarms) {
    if (one.lon === null || one.lat === null) continue;
    const before = found.get(one.entity);
    if (!before || rank(one) < rank(before)) found.set(one.entity, one);
  }
  return found;
}

function featureOf(one: AlarmView): Feature {
  return {
    type: 'Feature',
    geometry: { type: 'Point', coordinates: [one.lon as number, one.lat as number] },
    properties: {
      entity: one.entity,
      icon: `alarm-${one.priority}${needsPerson(one) ? '' : '-known'}`,
      order: one.priority,
    },
  };
}

export class AlarmMarks {
  private shown: readonly AlarmView[] = [];
  private hasLayer = false;
  /** What stands in the source: most changes of alarms leave the marks as they are. */
  private drawn = '';

  constructor(private readonly map: MapLibre) {}

  /** The style is there: from now on alarms are drawn. */
  begin(scale: number): void {
    this.paint();
    this.map.addSource(ALARMS, { type: 'geojson', data: this.data() });
    this.map.addLayer({
      id: ALARMS,
      type: 'symbol',
      source: ALARMS,
      layout: {
        'icon-image': ['get', 'icon'],
        'icon-size': scale,
        'icon-anchor': 'bottom-left',
        'icon-offset': [3, -3],
        'icon-allow-overlap': true,
        'icon-ignore-placement': true,
        'symbol-sort-key': ['-', 0, ['get', 'order']],
      },
    } as LayerSpecification);
    this.hasLayer = true;
  }

  /** Other colours or sizes. */
  restyle(scale: number): void {
    if (!this.hasLayer) return;
    this.paint();
    this.map.setLayoutProperty(ALARMS, 'icon-size', scale);
  }

  show(alarms: readonly AlarmView[]): void {
    this.shown = alarms;
    const data = this.data();
    this.map.getContainer().dataset['alarms'] = String(data.features.length);
    const drawn = JSON.stringify(data);
    if (!this.hasLayer || drawn === this.drawn) return;
    this.drawn = drawn;
    void this.map.getSource<GeoJSONSource>(ALARMS)?.setData(data);
  }

  private data(): GeoJSON.FeatureCollection {
    const features = [...worstByEntity(this.shown).values()].map(featureOf);
    return { type: 'FeatureCollection', features };
  }

  private paint(): void {
    const css = getComputedStyle(document.documentElement);
    for (const priority of [1, 2, 3, 4])
      for (const isKnown of [false, true]) {
        const name = `alarm-${priority}${isKnown ? '-known' : ''}`;
        const image = draw(priority, css, isKnown);
        if (this.map.hasImage(name)) this.map.updateImage(name, image);
        else this.map.addImage(name, image, { pixelRatio: RATIO });
      }
  }
}
