/** What a person chose for this browser: language, theme, text size, contrast, shortcuts. */

import type { Lang } from '../format/number';

export type Theme = 'auto' | 'light' | 'dark';

interface Stored {
  lang: Lang;
  theme: Theme;
  scale: number;
  isHighContrast: boolean;
  hasShortcuts: boolean;
}

const KEY = 'dothi.settings';
/** A- to A+++: up to the 200 % of WCAG 1.4.4. */
export const SCALES = [0.875, 1, 1.25, 1.5, 2];
const DEFAULTS: Stored = {
  lang: 'vi',
  theme: 'auto',
  scale: 1,
  isHighContrast: matchMedia('(prefers-contrast: more)').matches,
  hasShortcuts: true,
};

function load(): Stored {
  try {
    return { ...DEFAULTS, ...(JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Stored>) };
  } catch {
    return DEFAULTS;
  }
}

class Settings {
  lang = $state<Lang>('vi');
  theme = $state<Theme>('auto');
  scale = $state(1);
  isHighContrast = $state(false);
  hasShortcuts = $state(true);
  private isSystemDark = $state(false);

  readonly isDark = $derived(this.theme === 'dark' || (this.theme === 'auto' && this.isSystemDark));

  constructor() {
    Object.assign(this, load());
    const dark = matchMedia('(prefers-color-scheme: dark)');
    this.isSystemDark = dark.matches;
    dark.addEventListener('change', (event) => (this.isSystemDark = event.matches));
  }

  /** Call once inside the root component: keeps <html> and the store in step. Before anything is
   * drawn anew: charts and marks on the map read their colours from the page. */
  bind(): void {
    $effect.pre(() => {
      const root = document.documentElement;
      root.lang = this.lang;
      root.dataset['theme'] = this.isDark ? 'dark' : 'light';
      root.dataset['contrast'] = this.isHighContrast ? 'high' : 'normal';
      root.style.setProperty('--text-scale', String(this.scale));
      const { lang, theme, scale, isHighContrast, hasShortcuts } = this;
      localStorage.setItem(KEY, JSON.stringify({ lang, theme, scale, isHighContrast, hasShortcuts }));
    });
  }
}

export const settings = new Settings();
