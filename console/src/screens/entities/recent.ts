/** The last q filters of this browser, newest first. */

const KEY = 'dothi.filters';
const MOST = 10;

export interface Recent {
  type: string;
  q: string;
}

function isRecent(x: unknown): x is Recent {
  const { type, q } = (x ?? {}) as Record<string, unknown>;
  return typeof type === 'string' && typeof q === 'string' && q !== '';
}

export function readRecent(storage: Pick<Storage, 'getItem'>): Recent[] {
  try {
    const found = JSON.parse(storage.getItem(KEY) ?? '[]') as unknown;
    return Array.isArray(found) ? found.filter(isRecent).slice(0, MOST) : [];
  } catch {
    return [];
  }
}

/** The list with this one in front; kept where the browser keeps anything. */
export function remember(storage: Pick<Storage, 'getItem' | 'setItem'>, one: Recent): Recent[] {
  const others = readRecent(storage).filter((x) => x.q !== one.q || x.type !== one.type);
  const list = [one, ...others].slice(0, MOST);
  try {
    storage.setItem(KEY, JSON.stringify(list));
  } catch {
    // A full or closed store: the filter works, it is not remembered.
  }
  return list;
}
