import { MAX_BACKOFF_MS, MIN_BACKOFF_MS } from "./protocol.js";

/** How long to wait before the next attempt: full jitter under a bound that doubles, so that a crowd does not return as one. */
export class Backoff {
  /** @param {import("./protocol.js").Clock} clock */
  constructor(clock) {
    this.clock = clock;
    this.attempts = 0;
  }

  /** @returns {number} milliseconds */
  next() {
    this.attempts += 1;
    const bound = Math.min(MAX_BACKOFF_MS, MIN_BACKOFF_MS * 2 ** this.attempts);
    return MIN_BACKOFF_MS + this.clock.random() * (bound - MIN_BACKOFF_MS);
  }

  reset() {
    this.attempts = 0;
  }
}
