/** Colours of the base map: greys only, so that what lives on it stands out. */

export interface Palette {
  sea: string;
  land: string;
  province: string;
  water: string;
  ward: string;
  district: string;
  former: string;
  road: string;
  roadEdge: string;
  rail: string;
  label: string;
  labelWater: string;
  halo: string;
  cluster: string;
  clusterEdge: string;
  ink: string;
  faded: string;
  select: string;
}

const LIGHT: Palette = {
  sea: '#c3cacf',
  land: '#d9dcdf',
  province: '#dee1e3',
  water: '#c3cacf',
  ward: '#c2c7cb',
  district: '#a9afb5',
  former: '#868e95',
  road: '#eceeef',
  roadEdge: '#b4babf',
  rail: '#969da3',
  label: '#535c64',
  labelWater: '#5a6a75',
  halo: '#e2e4e6',
  cluster: '#f0f1f2',
  clusterEdge: '#535c64',
  ink: '#1c2126',
  faded: '#5f676e',
  select: '#0b3f66',
};

const DARK: Palette = {
  sea: '#181c1f',
  land: '#1f2327',
  province: '#23282c',
  water: '#181c1f',
  ward: '#2f353a',
  district: '#434b52',
  former: '#5f6971',
  road: '#373e44',
  roadEdge: '#191d20',
  rail: '#4c545b',
  label: '#99a2a9',
  labelWater: '#7f919e',
  halo: '#1b1f22',
  cluster: '#31373d',
  clusterEdge: '#a3abb2',
  ink: '#e3e6e8',
  faded: '#98a0a7',
  select: '#c4dced',
};

const LIGHT_HIGH: Palette = {
  ...LIGHT,
  district: '#868e95',
  former: '#535c64',
  roadEdge: '#868e95',
  label: '#2a3137',
  labelWater: '#23363f',
  halo: '#f4f5f6',
  cluster: '#fafafa',
  clusterEdge: '#20262b',
  ink: '#0d1013',
  faded: '#343c43',
  select: '#062c4a',
};

const DARK_HIGH: Palette = {
  ...DARK,
  district: '#6b747c',
  former: '#98a0a7',
  label: '#d5dadf',
  labelWater: '#c3d4df',
  halo: '#0f1214',
  cluster: '#22272c',
  clusterEdge: '#dfe4e8',
  ink: '#f7f8f9',
  faded: '#c2c9cf',
  select: '#e0f0fc',
};

export function paletteOf(look: { isDark: boolean; isHighContrast: boolean }): Palette {
  if (look.isDark) return look.isHighContrast ? DARK_HIGH : DARK;
  return look.isHighContrast ? LIGHT_HIGH : LIGHT;
}
