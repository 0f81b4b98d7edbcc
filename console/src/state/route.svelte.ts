/** The URL is the state of the screen: reading and changing it. */

export type Screen =
  | 'wall'
  | 'map'
  | 'entities'
  | 'entity'
  | 'trends'
  | 'sources'
  | 'alarms'
  | 'alarm'
  | 'alarm_performance'
  | 'suppressions'
  | 'subscriptions'
  | 'rules'
  | 'registrations'
  | 'incidents'
  | 'incident'
  | 'procedures'
  | 'notices'
  | 'shift'
  | 'people'
  | 'audit'
  | 'duty'
  | 'warnings'
  | 'signed-out'
  | 'unknown';

const SCREENS: readonly Screen[] = [
  'wall',
  'map',
  'entities',
  'entity',
  'trends',
  'sources',
  'alarms',
  'alarm',
  'alarm_performance',
  'suppressions',
  'subscriptions',
  'rules',
  'registrations',
  'incidents',
  'incident',
  'procedures',
  'notices',
  'shift',
  'people',
  'audit',
  'duty',
  'warnings',
  'signed-out',
];

export interface Place {
  screen: Screen;
  /** What stands after the screen's name: the entity's id. */
  subject: string;
  params: URLSearchParams;
}

export function parsePlace(path: string, search: string): Place {
  const [, first = '', ...rest] = path.split('/');
  const name = (first === '' ? 'map' : first) as Screen;
  const screen = SCREENS.includes(name) ? name : 'unknown';
  return { screen, subject: decodeURIComponent(rest.join('/')), params: new URLSearchParams(search) };
}

export function entityUrl(id: string): string {
  return `/entity/${encodeURIComponent(id)}`;
}

export function trendsUrl(keys: string[]): string {
  return `/trends?${new URLSearchParams(keys.map((key) => ['key', key])).toString()}`;
}

class Route {
  place = $state.raw<Place>(parsePlace(location.pathname, location.search));

  constructor() {
    addEventListener('popstate', () => this.read());
    addEventListener('click', (event) => this.catchLink(event));
  }

  go(url: string): void {
    history.pushState(null, '', url);
    this.read();
  }

  /** As `go`, in place of the present screen: the way back does not lead through it again. */
  replace(url: string): void {
    history.replaceState(null, '', url);
    this.read();
  }

  /** Change parameters of the present screen; null takes one away. Leaves no step to go back to. */
  set(changes: Record<string, string | string[] | null>): void {
    const params = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(changes)) {
      params.delete(name);
      if (value === null) continue;
      for (const one of Array.isArray(value) ? value : [value]) params.append(name, one);
    }
    const text = params.toString().replace(/%2C/g, ',').replace(/%3A/g, ':').replace(/%7C/g, '|');
    history.replaceState(null, '', location.pathname + (text ? `?${text}` : ''));
    this.read();
  }

  param(name: string): string | null {
    return this.place.params.get(name);
  }

  private read(): void {
    this.place = parsePlace(location.pathname, location.search);
  }

  private catchLink(event: MouseEvent): void {
    if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey)
      return;
    const link = (event.target as Element | null)?.closest?.('a');
    if (!link || link.target || link.hasAttribute('download')) return;
    const url = new URL(link.href, location.href);
    if (url.origin !== location.origin || /^\/(api|ngsi-ld|login|basemap)\b/.test(url.pathname)) return;
    if (url.hash && url.pathname === location.pathname) return;
    event.preventDefault();
    this.go(url.pathname + url.search);
  }
}

export const route = new Route();
