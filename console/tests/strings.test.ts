import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { en } from '../src/i18n/strings.en';
import { vi } from '../src/i18n/strings.vi';

const SRC = join(import.meta.dirname, '../src');
const names = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort();

function sources(): string {
  return readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(ts|svelte)$/.test(file) && !file.includes('strings.'))
    .map((file) => readFileSync(join(SRC, file), 'utf8'))
    .join('\n');
}

describe('dictionaries', () => {
  it('have the same keys', () => {
    expect(Object.keys(en).sort()).toEqual(Object.keys(vi).sort());
  });
  it('have the same places for values', () => {
    for (const key of Object.keys(vi) as (keyof typeof vi)[])
      expect(names(en[key]), key).toEqual(names(vi[key]));
  });
  it('are composed (NFC) and nowhere empty', () => {
    for (const text of [...Object.values(vi), ...Object.values(en)]) {
      expect(text).toBe(text.normalize('NFC'));
      expect(text).not.toBe('');
    }
  });
  it('hold no word that nothing uses', () => {
    const code = sources();
    const built = [...code.matchAll(/[`'](\w+_)\$\{/g)].map((m) => m[1] as string);
    const unused = Object.keys(vi).filter(
      (key) => !code.includes(`'${key}'`) && !built.some((stem) => key.startsWith(stem)),
    );
    expect(unused).toEqual([]);
  });
});
