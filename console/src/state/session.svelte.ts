/** Who is signed in, and the layers that the hub knows. */

import { api, ApiError, onSignedOut } from '../api/client';
import type { Layer, Me } from '../api/types';
import { learnNames } from '../i18n/attributes';
import { live } from '../live/live.svelte';
import { route } from './route.svelte';

class Session {
  me = $state.raw<Me | null>(null);
  layers = $state.raw<Layer[]>([]);
  problem = $state.raw<ApiError | null>(null);

  constructor() {
    onSignedOut(() => this.signedOut());
  }

  get mayAdminister(): boolean {
    return this.me?.permissions.includes('administer') ?? false;
  }

  /** Load who and what; tries again every 3 s while the hub cannot be reached. */
  async open(): Promise<void> {
    try {
      this.me = await api.me();
      this.layers = await api.layers();
      learnNames(this.layers);
      this.problem = null;
      live.start();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.problem = error;
      if (error.status !== 401) setTimeout(() => void this.open(), 3000);
    }
  }

  async logout(): Promise<void> {
    await api.logout();
    this.signedOut();
  }

  private signedOut(): void {
    this.me = null;
    live.stop();
    if (route.place.screen !== 'signed-out') route.go('/signed-out');
  }
}

export const session = new Session();
