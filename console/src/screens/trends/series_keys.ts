/** The series of the URL: `key=entity|attribute|dataset`, at most twelve. */

export const MOST_SERIES = 12;

export interface SeriesKey {
  key: string;
  entity: string;
  attribute: string;
  dataset: string;
}

export function parseKey(key: string): SeriesKey | null {
  const [entity = '', attribute = '', dataset = ''] = key.split('|');
  return entity && attribute ? { key, entity, attribute, dataset } : null;
}

/** Well-formed keys, each once. */
export function parseKeys(params: URLSearchParams): SeriesKey[] {
  const keys = [...new Set(params.getAll('key'))].map(parseKey);
  return keys.filter((key) => key !== null).slice(0, MOST_SERIES);
}
