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

export const LIGHT: Palette = {
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

export const DARK: Palette = {
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
