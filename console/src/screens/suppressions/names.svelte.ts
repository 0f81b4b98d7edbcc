/** Names of rules, things and areas that suppressions speak of by their ids. */

import { rulesApi, type RuleState } from '../../api/rules';
import { areasOf } from '../../api/warnings';
import { entityName } from '../../format/value';
import { live } from '../../live/live.svelte';
import { settings } from '../../state/settings.svelte';
import { words } from '../rules/condition';

export class Names {
  rules = $state.raw<RuleState[]>([]);
  private areas = $state.raw<ReadonlyMap<string, { name: string; name_en: string }>>(new Map());

  async load(): Promise<void> {
    this.rules = await rulesApi.all();
  }

  /** Only where an area is spoken of: there are many. */
  async loadAreas(): Promise<void> {
    if (this.areas.size) return;
    const found = (await Promise.all(['province', 'ward'].map(areasOf))).flat();
    this.areas = new Map(found.map(({ properties }) => [properties.id, properties]));
  }

  rule = (id: string): string => {
    const found = this.rules.find((one) => one.id === id);
    return found ? words((found.approved ?? found.newest).name, settings.lang) || id : id;
  };

  entity = (id: string): string => {
    const found = live.entities.get(id);
    return found ? entityName(found) : (id.split(':').at(-1) ?? id);
  };

  area = (id: string): string => {
    const found = this.areas.get(id);
    if (!found) return id;
    return settings.lang === 'vi' ? found.name : found.name_en || found.name;
  };
}
