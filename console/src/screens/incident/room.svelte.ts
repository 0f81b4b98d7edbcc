/** One incident as it stands: asked for again and again, and after every action. */

import { ApiError } from '../../api/client';
import { incidents, type Room } from '../../api/incidents';
import { problemText } from '../../i18n/problems';

const EVERY_MS = 3000;

export class RoomState {
  room = $state.raw<Room | null>(null);
  /** Why it could not be read. */
  problem = $state.raw<unknown>(null);
  /** Why the last action was not stored. */
  refused = $state.raw<unknown>(null);
  /** Somebody else was faster. */
  isConflict = $state(false);
  isBusy = $state(false);
  heardAt = $state(0);

  constructor(readonly id: number) {}

  start(): () => void {
    void this.load();
    const timer = setInterval(() => void this.load(), EVERY_MS);
    return () => clearInterval(timer);
  }

  async load(): Promise<void> {
    if (this.isBusy) return;
    try {
      this.take(await incidents.room(this.id));
    } catch (error) {
      this.problem = error;
    }
  }

  /** Do something and show what came of it; false: it was not stored, and why is on the screen. */
  async act(action: (room: Room) => Promise<Room>): Promise<boolean> {
    if (!this.room || this.isBusy) return false;
    this.isBusy = true;
    this.refused = null;
    this.isConflict = false;
    try {
      this.take(await action(this.room));
      return true;
    } catch (error) {
      this.refused = error;
      this.isConflict = error instanceof ApiError && error.status === 409;
      return false;
    } finally {
      this.isBusy = false;
      if (this.isConflict) void this.load();
    }
  }

  dismiss(): void {
    this.refused = null;
    this.isConflict = false;
  }

  get refusal(): string {
    return problemText(this.refused).what;
  }

  private take(room: Room): void {
    this.room = room;
    this.problem = null;
    this.heardAt = Date.now();
  }
}
