/** Numbers as people of the language write them: decimal comma in Vietnamese. */

export type Lang = 'vi' | 'en';

const LOCALE = { vi: 'vi-VN', en: 'en-GB' } as const;
const cache = new Map<string, Format>();

interface Format {
  format(value: number): string;
}

/** The typographic minus is as wide as a digit; a hyphen is hard to see from afar. */
function withMinus(intl: Intl.NumberFormat): Format {
  return { format: (value) => intl.format(value).replace('-', '−') };
}

function formatter(lang: Lang, min: number, max: number): Format {
  const key = `${lang}${min}${max}`;
  let found = cache.get(key);
  if (!found) {
    const digits = { minimumFractionDigits: min, maximumFractionDigits: max };
    found = withMinus(new Intl.NumberFormat(LOCALE[lang], digits));
    cache.set(key, found);
  }
  return found;
}

/** Decimals that keep about three significant figures: 0.123, 1.23, 12.3, 123. */
export function decimalsFor(value: number): number {
  const size = Math.abs(value);
  if (size === 0 || size >= 100) return Number.isInteger(value) ? 0 : 1;
  if (size >= 10) return 1;
  return size >= 1 ? 2 : 3;
}

export function formatNumber(value: number, lang: Lang, decimals?: number): string {
  if (!Number.isFinite(value)) return '–';
  return decimals === undefined ? shortNumber(value, lang) : formatter(lang, decimals, decimals).format(value);
}

/** At most so many decimals, else those that keep three significant figures; no zeros at the end. */
export function shortNumber(value: number, lang: Lang, decimals = decimalsFor(value)): string {
  return Number.isFinite(value) ? formatter(lang, 0, decimals).format(value) : '–';
}

/** Every digit of the number, however many. */
export function exactNumber(value: number, lang: Lang): string {
  return Number.isFinite(value) ? formatter(lang, 0, 20).format(value) : '–';
}

export function formatCount(value: number, lang: Lang): string {
  return formatter(lang, 0, 0).format(value);
}

export function sizeText(bytes: number, lang: Lang): string {
  if (bytes < 1024) return `${formatCount(bytes, lang)} B`;
  if (bytes < 1024 ** 2) return `${formatCount(Math.round(bytes / 1024), lang)} kB`;
  return `${formatNumber(bytes / 1024 ** 2, lang, 1)} MB`;
}
