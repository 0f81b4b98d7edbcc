import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

type Tokens = Record<string, string>;

const CSS = readFileSync(join(import.meta.dirname, '../src/style/tokens.css'), 'utf8');
const GROUNDS = ['ground', 'panel', 'raised', 'well', 'select'];
const INKS = ['ink', 'ink-2', 'ink-3', 'ink-lost', 'accent', 'alarm-high', 'alarm-warn'];
/** Shapes and frames that carry a meaning: 3:1 is enough for them. */
const MARKS = ['air', 'water', 'rain', 'weather', 'other', 'line-strong', 'focus'];

function tokens(selector: string): Tokens {
  const start = CSS.indexOf(`${selector} {`);
  const block = CSS.slice(start, CSS.indexOf('}', start));
  return Object.fromEntries(
    [...block.matchAll(/--([\w-]+): (#[0-9a-f]{6})/g)].map((m) => [m[1], m[2]]),
  ) as Tokens;
}

const light = tokens(':root');
const dark = tokens(":root[data-theme='dark']");
const high = tokens(":root[data-contrast='high']");
const darkHigh = tokens(":root[data-theme='dark'][data-contrast='high']");
const THEMES: [string, Tokens, number][] = [
  ['light', light, 4.5],
  ['dark', { ...light, ...dark }, 4.5],
  ['light, high contrast', { ...light, ...high }, 7],
  ['dark, high contrast', { ...light, ...dark, ...high, ...darkHigh }, 7],
];

function luminance(color: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = parseInt(color.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: string, other: string): number {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

const ALARMS = readFileSync(join(import.meta.dirname, '../src/style/alarms.css'), 'utf8');

function alarmTokens(selector: string): Tokens {
  const start = ALARMS.indexOf(`${selector} {`);
  const block = ALARMS.slice(start, ALARMS.indexOf('}', start));
  return Object.fromEntries(
    [...block.matchAll(/--([\w-]+): (#[0-9a-f]{6})/g)].map((m) => [m[1], m[2]]),
  ) as Tokens;
}

it('shows alarms by an edge and a number that can be seen in both themes', () => {
  const day = alarmTokens(':root');
  const night = { ...day, ...alarmTokens(":root[data-theme='dark']") };
  for (const [theme, marks] of [[light, day], [{ ...light, ...dark }, night]] as const) {
    for (const ground of GROUNDS)
      expect(contrast(marks['p-edge'] as string, theme[ground] as string)).toBeGreaterThanOrEqual(3);
    for (const p of ['p1', 'p2', 'p3', 'p4'])
      expect(contrast(marks[p] as string, marks[p === 'p1' ? 'p1-ink' : 'p-ink'] as string)).toBeGreaterThanOrEqual(4.5);
  }
});

describe.each(THEMES)('%s', (_name, theme, wanted) => {
  const of = (ink: string, ground: string) =>
    contrast(theme[ink] as string, theme[ground] as string);

  it('can be read on every ground', () => {
    for (const ink of INKS)
      for (const ground of GROUNDS) {
        const least = ground === 'select' ? 4.5 : wanted;
        expect(of(ink, ground), `--${ink} on --${ground}`).toBeGreaterThanOrEqual(least);
      }
    expect(of('ink', 'warn-ground')).toBeGreaterThanOrEqual(wanted);
    expect(of('accent-ink', 'accent')).toBeGreaterThanOrEqual(wanted);
  });
  it('shows its marks on every ground', () => {
    for (const mark of MARKS)
      for (const ground of GROUNDS)
        expect(of(mark, ground), `--${mark} on --${ground}`).toBeGreaterThanOrEqual(3);
  });
});

it('leaves no colour of light high contrast in the dark one', () => {
  expect(Object.keys(high).filter((name) => !(name in darkHigh))).toEqual([]);
});
