/** The live picture and how messages change it. Rows are replaced, never changed in place. */

import type { Delta, EntityView, LiveMessage, Snapshot, SourceView, Value } from '../api/types';

export interface Picture {
  n: number;
  epoch: string | null;
  entities: Map<string, EntityView>;
  sources: Map<string, SourceView>;
}

/** What a message touched; `reset`: everything may be different. */
export interface Changes {
  reset: boolean;
  changed: Set<string>;
  gone: string[];
  sources: boolean;
}

export function emptyPicture(): Picture {
  return { n: -1, epoch: null, entities: new Map(), sources: new Map() };
}

function takeSnapshot(picture: Picture, message: Snapshot): Changes {
  picture.n = message.n;
  picture.epoch = message.epoch;
  picture.entities = new Map(message.entities.map((e) => [e.id, e]));
  picture.sources = new Map(message.sources.map((s) => [s.id, s]));
  return { reset: true, changed: new Set(picture.entities.keys()), gone: [], sources: true };
}

function withValue(entity: EntityView, value: Value): EntityView {
  const at = entity.values.findIndex(
    (v) => v.attribute === value.attribute && v.dataset === value.dataset,
  );
  const values = at < 0 ? [...entity.values, value] : entity.values.with(at, value);
  return { ...entity, values };
}

function takeDelta(picture: Picture, message: Delta): Changes {
  const changed = new Set<string>();
  for (const entity of message.entities ?? []) {
    picture.entities.set(entity.id, entity);
    changed.add(entity.id);
  }
  for (const [id, value] of message.values ?? []) {
    const entity = picture.entities.get(id);
    if (!entity) continue;
    picture.entities.set(id, withValue(entity, value));
    changed.add(id);
  }
  for (const id of message.gone ?? []) {
    picture.entities.delete(id);
    changed.delete(id);
  }
  for (const source of message.sources ?? []) picture.sources.set(source.id, source);
  picture.n = message.n;
  return { reset: false, changed, gone: message.gone ?? [], sources: !!message.sources?.length };
}

/** Take a message in; null: a gap, the picture can only be mended by a new snapshot. */
export function merge(picture: Picture, message: LiveMessage): Changes | null {
  if (message.kind === 'snapshot') return takeSnapshot(picture, message);
  if (message.kind === 'beat') {
    if (message.n !== picture.n) return null;
    return { reset: false, changed: new Set(), gone: [], sources: false };
  }
  if (message.after !== picture.n) return null;
  return takeDelta(picture, message);
}
