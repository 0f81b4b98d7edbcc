/** Inks of lines: six restrained hues; the second six are dashed, so twelve can be told apart. */

const LIGHT = ['#2c5f8d', '#8a5226', '#5b4a93', '#2f6f68', '#7a6a1f', '#4f5860'];
const DARK = ['#86b6dd', '#d9a877', '#b3a5e6', '#83c5bb', '#cdbd6c', '#c0c7cd'];

export function lineColor(index: number, isDark: boolean): string {
  const inks = isDark ? DARK : LIGHT;
  return inks[index % inks.length] as string;
}

export function lineDash(index: number, isComparison: boolean): number[] {
  if (isComparison) return [2, 4];
  return index >= LIGHT.length ? [8, 4] : [];
}
