/** What attributes (Smart Data Models names) are called on screen. */

import type { Layer } from '../api/types';
import { settings } from '../state/settings.svelte';
import { fold } from '../format/fold';

const NAMES: Record<string, { vi: string; en: string }> = {
  pm25: { vi: 'PM2.5', en: 'PM2.5' },
  pm10: { vi: 'PM10', en: 'PM10' },
  no2: { vi: 'NO2', en: 'NO2' },
  so2: { vi: 'SO2', en: 'SO2' },
  o3: { vi: 'O3', en: 'O3' },
  co: { vi: 'CO', en: 'CO' },
  airqualityindex: { vi: 'Chỉ số AQI', en: 'AQI' },
  aqi: { vi: 'Chỉ số AQI', en: 'AQI' },
  waterlevel: { vi: 'Mực nước', en: 'Water level' },
  tidelevel: { vi: 'Mực triều', en: 'Tide level' },
  tide: { vi: 'Mực triều', en: 'Tide level' },
  flow: { vi: 'Lưu lượng', en: 'Flow' },
  flowrate: { vi: 'Lưu lượng', en: 'Flow' },
  salinity: { vi: 'Độ mặn', en: 'Salinity' },
  ph: { vi: 'pH', en: 'pH' },
  o2: { vi: 'Oxy hòa tan', en: 'Dissolved oxygen' },
  level: { vi: 'Mực nước', en: 'Water level' },
  placenote: { vi: 'Ghi chú vị trí', en: 'Note on the place' },
  dissolvedoxygen: { vi: 'Oxy hòa tan', en: 'Dissolved oxygen' },
  turbidity: { vi: 'Độ đục', en: 'Turbidity' },
  conductivity: { vi: 'Độ dẫn điện', en: 'Conductivity' },
  rainfall: { vi: 'Lượng mưa', en: 'Rainfall' },
  precipitation: { vi: 'Lượng mưa', en: 'Precipitation' },
  temperature: { vi: 'Nhiệt độ', en: 'Temperature' },
  watertemperature: { vi: 'Nhiệt độ nước', en: 'Water temperature' },
  humidity: { vi: 'Độ ẩm', en: 'Humidity' },
  relativehumidity: { vi: 'Độ ẩm', en: 'Relative humidity' },
  atmosphericpressure: { vi: 'Khí áp', en: 'Pressure' },
  windspeed: { vi: 'Tốc độ gió', en: 'Wind speed' },
  winddirection: { vi: 'Hướng gió', en: 'Wind direction' },
  batterylevel: { vi: 'Pin', en: 'Battery' },
  name: { vi: 'Tên', en: 'Name' },
  location: { vi: 'Vị trí', en: 'Location' },
};

let shown = new Map<string, Layer>();

/** Layers name their attributes too, where no name is known here, and say their units. */
export function learnNames(layers: Layer[]): void {
  shown = new Map(layers.map((layer) => [layer.attribute, layer]));
}

/** UN/CEFACT code of the values as the map shows them; null: not known. */
export function attributeUnit(attribute: string): string | null {
  return shown.get(attribute)?.unit || null;
}

export function attributeName(attribute: string, dataset = ''): string {
  const short = attribute.split(/[/#]/).at(-1) ?? attribute;
  const found = NAMES[fold(short).replace(/[_-]/g, '')] ?? shown.get(attribute)?.title;
  const name = found ? found[settings.lang] : short;
  return dataset ? `${name} (${dataset.split(/[/#:]/).at(-1)})` : name;
}
