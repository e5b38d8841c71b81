/** Calls at once, then at most once per interval; the last call is never lost. */
export class Throttle {
  /**
   * @param {import("./protocol.js").Clock} clock
   * @param {number} intervalMs
   * @param {(value: any) => void} callback
   */
  constructor(clock, intervalMs, callback) {
    this.clock = clock;
    this.intervalMs = intervalMs;
    this.callback = callback;
    this.timer = null;
    this.waiting = null;
  }

  /** @param {any} [value] replaces one that waits */
  call(value) {
    if (this.timer === null) {
      this.#run(value);
    } else {
      this.waiting = { value };
    }
  }

  #run(value) {
    this.timer = this.clock.setTimeout(() => {
      this.timer = null;
      const waiting = this.waiting;
      this.waiting = null;
      if (waiting) this.#run(waiting.value);
    }, this.intervalMs);
    this.callback(value);
  }
}
