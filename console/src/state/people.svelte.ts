/** Who there is and which positions: names for the ids in everything that people did. */

import { peopleApi, type Person, type Position } from '../api/people';
import { settings } from './settings.svelte';

class People {
  all = $state.raw<Person[]>([]);
  positions = $state.raw<Position[]>([]);
  isLoaded = $state(false);

  async load(): Promise<void> {
    const [found, positions] = await Promise.all([peopleApi.people(), peopleApi.positions()]);
    this.all = found.sort((a, b) => a.name.localeCompare(b.name, 'vi'));
    this.positions = positions;
    this.isLoaded = true;
  }

  /** For names alone: those who joined meanwhile are read where people are shown. */
  async want(): Promise<void> {
    if (!this.isLoaded) await this.load().catch(() => undefined);
  }

  nameOf(id: string): string {
    return this.all.find((person) => person.id === id)?.name ?? id;
  }

  titleOf(position: string): string {
    const found = this.positions.find((one) => one.id === position);
    if (!found) return position;
    return settings.lang === 'vi' ? found.title_vi : found.title_en;
  }

  holders(position: string): Person[] {
    return this.all.filter((person) => person.is_active && person.positions.includes(position));
  }
}

export const people = new People();
