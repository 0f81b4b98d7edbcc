/** What notices, links, warnings and the audit record are about (`alarm:12`): as people know it, and
 * where it is shown. */

import { proceduresApi } from '../api/procedures';
import { rulesApi, type Words } from '../api/rules';
import { t, tryText, type TextKey } from '../i18n/text';
import { live } from '../live/live.svelte';
import { people } from './people.svelte';
import { settings } from './settings.svelte';

/** Names by subject; empty where the reader may not see them: then the id stands there. */
let names = $state.raw(new Map<string, Words>());

export async function loadNames(): Promise<void> {
  void people.load().catch(() => {});
  const found = await Promise.allSettled<(readonly [string, Words])[]>([
    rulesApi.all().then((all) => all.map((one) => [`rule:${one.id}`, one.newest.name] as const)),
    rulesApi.limits().then((all) => all.map((one) => [`limits:${one.name}`, one.title] as const)),
    // Newest first; that version has the name.
    proceduresApi
      .all()
      .then((all) => all.map((one) => [`procedure:${one.procedure.id}`, one.procedure.title] as const).reverse()),
  ]);
  names = new Map(found.flatMap((one) => (one.status === 'fulfilled' ? one.value : [])));
}

function split(subject: string): [kind: string, id: string] {
  const at = subject.indexOf(':');
  return at < 0 ? [subject, ''] : [subject.slice(0, at), subject.slice(at + 1)];
}

function nameOf(subject: string): string {
  const [kind, id] = split(subject);
  const of = names.get(subject);
  if (of) return (settings.lang === 'vi' ? of.vi || of.en : of.en || of.vi) || id;
  if (kind === 'person') return tryText(`audit_by_${id}`, people.nameOf(id));
  if (kind === 'position') return people.titleOf(id);
  if (kind === 'entity' || kind === 'camera') return live.entities.get(id)?.name || id;
  if (kind === 'source') return live.sources.get(id)?.name || id;
  return id;
}

/** `alarm:12` -> Alarm 12; what has a name stands with it. */
export function subjectText(subject: string): string {
  const [kind, id] = split(subject);
  if (!id) return tryText(`audit_kind_${kind}`, subject);
  const key = `subject_${kind}`;
  const name = nameOf(subject);
  return tryText(key, '') ? t(key as TextKey, { name }) : name;
}

/** Where the console shows it; null where it does not. */
export function subjectUrl(subject: string): string | null {
  const [kind, name] = split(subject);
  const id = encodeURIComponent(name);
  if (!id) return null;
  switch (kind) {
    case 'alarms':
      return '/alarms';
    case 'alarm':
    case 'incident':
    case 'entity':
      return `/${kind}/${id}`;
    case 'camera':
      return `/entity/${id}`;
    case 'warning':
      return `/warnings/${id}`;
    case 'rule':
    case 'procedure':
      return `/${kind}s/${id}`;
    case 'limits':
      return `/rules?view=limits&q=${id}`;
    case 'suppression':
      return '/suppressions?ended=1';
    case 'source':
      return `/sources?source=${id}`;
    case 'foreign':
      return `/warnings?tab=foreign&open=${id}`;
    case 'notice':
      return `/notices?notice=${id}`;
    case 'handover':
      return `/shift?view=handovers&handover=${id}`;
    case 'person':
      return people.all.some((one) => one.id === name) ? `/people?left=1&q=${id}` : null;
    default:
      return null;
  }
}
