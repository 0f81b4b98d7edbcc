/** Names of people and positions for what stands in the record as ids. */

import { request } from '../../api/client';
import { settings } from '../../state/settings.svelte';

interface Person {
  id: string;
  name: string;
  is_active: boolean;
}

interface Position {
  id: string;
  title_vi: string;
  title_en: string;
}

class People {
  all = $state.raw<Person[]>([]);
  private positions = $state.raw<Position[]>([]);

  /** Nothing depends on it: without names the ids are shown. */
  async load(): Promise<void> {
    const [all, positions] = await Promise.all([
      request('/api/v1/people').then((a) => a.json() as Promise<Person[]>),
      request('/api/v1/positions').then((a) => a.json() as Promise<Position[]>),
    ]).catch(() => [[], []] as [Person[], Position[]]);
    this.all = all.filter((person) => person.is_active);
    this.positions = positions;
  }

  nameOf(id: string): string {
    return this.all.find((person) => person.id === id)?.name ?? id;
  }

  roleOf(position: string): string {
    const found = this.positions.find((one) => one.id === position);
    if (!found) return position;
    return settings.lang === 'vi' ? found.title_vi : found.title_en;
  }
}

export const people = new People();
