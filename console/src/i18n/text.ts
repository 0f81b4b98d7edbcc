/** t('key', {name: value}): words in the person's language. Reactive wherever it is read. */

import { settings } from '../state/settings.svelte';
import { en } from './strings.en';
import { vi, type Strings } from './strings.vi';

const DICTIONARIES: Record<'vi' | 'en', Strings> = { vi, en };

export type TextKey = keyof Strings;

export function fill(template: string, values: Record<string, string | number>): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

export function t(key: TextKey, values?: Record<string, string | number>): string {
  const text = DICTIONARIES[settings.lang][key];
  return values ? fill(text, values) : text;
}

/** The text of a key that is built at run time, or the fallback where there is none. */
export function tryText(key: string, fallback: string): string {
  return key in vi ? t(key as TextKey) : fallback;
}

/** What is stored in Vietnamese and, maybe, in English beside: in the person's language. */
export function spoken(vi: string, en: string): string {
  return settings.lang === 'en' ? en || vi : vi || en;
}
