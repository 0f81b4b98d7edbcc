/** The map's part of the URL: camera `c=lat,lon,zoom`, hidden layers `off=`, selection `sel=`. */

import type { Camera } from '../../parts/map/live_map';

export function parseCamera(text: string | null): Camera | null {
  if (!text) return null;
  const [lat, lon, zoom] = text.split(',').map(Number);
  if (lat === undefined || lon === undefined || zoom === undefined) return null;
  if (![lat, lon, zoom].every(Number.isFinite)) return null;
  if (Math.abs(lat) > 85 || Math.abs(lon) > 180 || zoom < 0 || zoom > 22) return null;
  return { lat, lon, zoom };
}

export function cameraText(camera: Camera): string {
  return `${camera.lat.toFixed(4)},${camera.lon.toFixed(4)},${camera.zoom.toFixed(2)}`;
}

export function parseHidden(text: string | null): Set<string> {
  return new Set((text ?? '').split(',').filter(Boolean));
}
