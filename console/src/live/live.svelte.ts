/** The one live picture of this browser tab. */

import { api } from '../api/client';
import type { EntityView, LiveMessage, SourceView } from '../api/types';
import { clock } from '../state/clock.svelte';
import { LiveConnection, type Link } from './connection';
import { liveAlarms } from './live_alarms.svelte';
import { emptyPicture, merge, type Changes } from './merge';

export type Listener = (changes: Changes) => void;

class Live {
  link = $state<Link>('connecting');
  /** When something was last heard, by this machine's clock. */
  heardAt = $state(0);
  hasPicture = $state(false);

  private entityTick = $state(0);
  private sourceTick = $state(0);
  private picture = emptyPicture();
  private listeners = new Set<Listener>();
  private connection: LiveConnection | null = null;

  start(): void {
    if (this.connection) return;
    this.connection = new LiveConnection(location.origin, {
      resume: () => {
        const { n, epoch } = this.picture;
        return epoch === null ? {} : { resume: n, epoch };
      },
      take: (message) => this.take(message),
      refused: () => void api.me().catch(() => undefined),
      link: (link) => this.setLink(link),
    });
    this.connection.open();
  }

  stop(): void {
    this.connection?.close();
    this.connection = null;
    this.picture = emptyPicture();
    this.hasPicture = false;
    this.link = 'connecting';
  }

  /** Re-evaluates its reader whenever any entity changed. */
  entity(id: string): EntityView | undefined {
    void this.entityTick;
    return this.picture.entities.get(id);
  }

  get entities(): ReadonlyMap<string, EntityView> {
    void this.entityTick;
    return this.picture.entities;
  }

  get sources(): ReadonlyMap<string, SourceView> {
    void this.sourceTick;
    return this.picture.sources;
  }

  /** For readers outside the framework (the map): called with what changed. */
  listen(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private setLink(link: Link): void {
    if (this.link === link) return;
    this.link = link;
    document.documentElement.dataset['link'] = link;
  }

  private take(message: LiveMessage): boolean {
    const changes = merge(this.picture, message);
    if (changes === null) {
      this.picture.epoch = null;
      return false;
    }
    this.heardAt = Date.now();
    clock.follow(Date.parse(message.at));
    if (message.kind === 'snapshot') this.hasPicture = true;
    if (changes.reset || changes.changed.size || changes.gone.length) {
      this.entityTick += 1;
      for (const listener of this.listeners) listener(changes);
    }
    if (changes.sources) this.sourceTick += 1;
    if (message.kind === 'snapshot') liveAlarms.snapshot(message.alarms ?? []);
    if (message.kind === 'delta') liveAlarms.change(message.alarms ?? [], message.alarms_closed ?? []);
    return true;
  }
}

export const live = new Live();
