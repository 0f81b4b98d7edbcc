/** Things that can be linked, found by words in either language: pure. */

import type { AlarmView } from '../api/alarms';
import type { BoardRow } from '../api/incidents';
import type { EntityView } from '../api/types';
import type { WarningRow } from '../api/warnings';
import { fold, matches } from '../format/fold';
import { entityName } from '../format/value';

export interface Found {
  /** The subject, `alarm:12`. */
  id: string;
  title: string;
  title_en: string;
  /** When it began; null: it has no such time. */
  at: string | null;
}

export interface Known {
  /** The server's answer to the words. */
  alarms: AlarmView[];
  incidents: BoardRow[];
  warnings: WarningRow[];
  entities: Iterable<EntityView>;
}

/** Of each kind, so that none hides the others. */
const MOST = 5;
/** What nothing here can list, but the program links: typed whole. */
const WHOLE = /^(report|camera|area):\S+$/;

const place = (text: string, where: string) => (text && where ? `${text} – ${where}` : text || where);

/** `nameOf`: a subject as people read it. */
export function foundSubjects(
  known: Known,
  question: string,
  { without, nameOf }: { without: string[]; nameOf: (subject: string) => string },
): Found[] {
  const folded = fold(question.trim());
  if (folded === '') return [];
  const fits = (one: Found) => matches(`${nameOf(one.id)} ${one.title} ${one.title_en}`, folded);
  const some = (of: Found[], isAnswer = false) =>
    of.filter((one) => !without.includes(one.id) && (isAnswer || fits(one))).slice(0, MOST);
  const alarms = known.alarms.map((one) => ({
    id: `alarm:${one.id}`,
    title: place(one.title || one.text, one.place || one.entity),
    title_en: one.title_en ? place(one.title_en, one.place || one.entity) : '',
    at: one.raised_at,
  }));
  const incidents = known.incidents.map(({ incident }) => ({
    id: `incident:${incident.id}`,
    title: incident.title,
    title_en: incident.title_en,
    at: incident.opened_at,
  }));
  const warnings = known.warnings.map((one) => ({
    id: `warning:${one.id}`,
    title: one.headline,
    title_en: '',
    at: one.sent_at ?? one.created_at,
  }));
  const entities: Found[] = [];
  for (const one of known.entities) {
    const found = { id: `entity:${one.id}`, title: entityName(one), title_en: '', at: null };
    if (!without.includes(found.id) && matches(`${found.title} ${one.id}`, folded)) entities.push(found);
    if (entities.length === MOST) break;
  }
  const typed = question.trim();
  const whole = WHOLE.test(typed) ? [{ id: typed, title: '', title_en: '', at: null }] : [];
  return [...some(alarms, true), ...some(incidents), ...some(warnings), ...entities, ...some(whole, true)];
}
