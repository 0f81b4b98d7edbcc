/** Symbols of the domains as map images: a shape each, full when fresh, hollow when stale. */

import type { Map as MapLibre } from 'maplibre-gl';
import type { Domain } from '../../state/domains';

const SIZE = 22;
const RATIO = 3;
const DOMAINS: Domain[] = ['air', 'water', 'rain', 'weather', 'other'];

function trace(c: CanvasRenderingContext2D, domain: Domain): void {
  const m = SIZE / 2;
  const corners: Record<Exclude<Domain, 'air'>, [number, number][]> = {
    water: [[m, 3], [19, m], [m, 19], [3, m]],
    rain: [[3, 4.5], [19, 4.5], [m, 19]],
    weather: [[4.5, 4.5], [17.5, 4.5], [17.5, 17.5], [4.5, 17.5]],
    other: [[7, 4], [15, 4], [19, m], [15, 18], [7, 18], [3, m]],
  };
  c.beginPath();
  if (domain === 'air') {
    c.arc(m, m, 7.5, 0, 2 * Math.PI);
    return;
  }
  for (const [x, y] of corners[domain]) c.lineTo(x, y);
  c.closePath();
}

function draw(domain: Domain, color: string, edge: string, isStale: boolean): ImageData {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = SIZE * RATIO;
  const c = canvas.getContext('2d');
  if (!c) throw new Error('no 2d canvas');
  c.scale(RATIO, RATIO);
  c.lineJoin = 'round';
  trace(c, domain);
  c.strokeStyle = edge;
  c.lineWidth = 4;
  c.stroke();
  c.fillStyle = isStale ? edge : color;
  c.fill();
  c.strokeStyle = color;
  c.lineWidth = 1.8;
  if (isStale) c.setLineDash([2.5, 2]);
  c.stroke();
  return c.getImageData(0, 0, canvas.width, canvas.height);
}

export function markName(domain: Domain, isStale: boolean): string {
  return isStale ? `${domain}-stale` : domain;
}

/** Put the symbols into the map in the colours of the present theme. */
export function putMarks(map: MapLibre, edge: string): void {
  const css = getComputedStyle(document.documentElement);
  for (const domain of DOMAINS) {
    const color = css.getPropertyValue(`--${domain}`).trim();
    for (const isStale of [false, true]) {
      const name = markName(domain, isStale);
      const image = draw(domain, color, edge, isStale);
      if (map.hasImage(name)) map.updateImage(name, image);
      else map.addImage(name, image, { pixelRatio: RATIO });
    }
  }
}
