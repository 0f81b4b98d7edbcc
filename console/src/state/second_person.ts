/** Who may put in force what somebody wrote, as the hub decides it (access/person.py): pure. */

import type { Person, Position } from '../api/people';

interface Centre {
  all: Person[];
  positions: Position[];
}

export interface Second {
  /** The reader may act. */
  may: boolean;
  /** Whoever acts must be somebody else than the reader, who wrote it. */
  isOwn: boolean;
  /** Who may act, by name; nobody alone gives leave to what she or he wrote while another could. */
  who: Person[];
  /** Positions that carry the permission. */
  positions: Position[];
}

/** `involved`: who wrote or handed it in. `mayAlone`: where there is nobody else, they may act. */
export function secondPerson(
  centre: Centre,
  me: { name: string; permissions: string[] } | null,
  permission: string,
  involved: string[],
  mayAlone = true,
): Second {
  const positions = centre.positions.filter((one) => one.permissions.includes(permission));
  const able = centre.all.filter(
    (person) => person.is_active && positions.some((one) => person.positions.includes(one.id)),
  );
  const others = able.filter((person) => !involved.includes(person.id));
  const isOwn = me !== null && involved.includes(me.name);
  const isAlone = mayAlone && !able.some((person) => person.id !== me?.name);
  const may = (me?.permissions.includes(permission) ?? false) && (!isOwn || isAlone);
  return { may, isOwn, who: others.length || !mayAlone ? others : able, positions };
}
