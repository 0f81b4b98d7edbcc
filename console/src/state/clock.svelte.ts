/** The hub's time, ticking once a second; ages are counted against it. */

class Clock {
  /** Milliseconds since 1970, UTC. */
  now = $state(Date.now());
  private offsetMs = 0;

  start(): () => void {
    const timer = setInterval(() => this.tick(), 1000);
    return () => clearInterval(timer);
  }

  /** Follow the hub's clock; small differences are the way of the message. */
  follow(hubMs: number): void {
    const offset = hubMs - Date.now();
    if (Number.isFinite(offset) && Math.abs(offset - this.offsetMs) > 1500) {
      this.offsetMs = offset;
      this.tick();
    }
  }

  private tick(): void {
    this.now = Date.now() + this.offsetMs;
  }
}

export const clock = new Clock();
