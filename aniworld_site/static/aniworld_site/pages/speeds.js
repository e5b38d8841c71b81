/** Speeds and times as people write them, and the line of the last two minutes. */
const SHOWN_S = 120;
/** A download that said nothing for longer has stopped. */
const SILENT_MS = 4_000;
/** Progress of one that was held may be under way for so long. Later than that it runs again, and who told that was not heard. */
const LATE_MS = 10_000;

/** @param {number} mbps megabits per second */
export function showSpeed(mbps) {
  const bytes = (mbps * 1_000_000) / 8;
  if (bytes >= 1 << 20) return `${(bytes / (1 << 20)).toFixed(1)} MiB/s`;
  return bytes >= 1 ? `${Math.max(1, Math.round(bytes / 1024))} KiB/s` : "";
}

/** @param {number | null} seconds */
export function showTimeLeft(seconds) {
  if (seconds === null || seconds === undefined) return "";
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  if (hours) return `${hours} h ${minutes} min left`;
  return minutes ? `${minutes} min ${seconds % 60} s left` : `${seconds} s left`;
}

/** The sum of all downloads' speeds, second by second. */
export class SpeedLine {
  constructor() {
    /** @type {Map<number, {mbps: number, at: number}>} */
    this.latest = new Map();
    /** @type {Map<number, number>} when each was told to run no more */
    this.held = new Map();
    /** @type {number[]} */
    this.sums = [];
  }

  /**
   * @param {{type: string, data: any}} frame
   * @param {number} now
   * @returns {boolean} whether it is progress of a download that runs
   */
  hear({ type, data }, now) {
    const id = data.download_id;
    if (id === undefined) return false;
    if (type === "download_progress") {
      if (now - (this.held.get(id) ?? -LATE_MS) < LATE_MS) return false;
      this.note(id, data.speed_mbps, now);
      return true;
    }
    this.held.delete(id);
    if (data.status !== "active" && data.status !== "verifying") {
      this.forget(id);
      this.held.set(id, now);
    }
    return false;
  }

  /** @param {number} id @param {number} mbps @param {number} now */
  note(id, mbps, now) {
    this.latest.set(id, { mbps, at: now });
  }

  /** @param {number} id */
  forget(id) {
    this.latest.delete(id);
  }

  /** @param {number} now @returns {number} the speed of all */
  step(now) {
    let sum = 0;
    for (const [id, { mbps, at }] of this.latest) {
      if (now - at > SILENT_MS) this.latest.delete(id);
      else sum += mbps;
    }
    for (const [id, at] of this.held) if (now - at >= LATE_MS) this.held.delete(id);
    this.sums.push(sum);
    if (this.sums.length > SHOWN_S) this.sums.shift();
    return sum;
  }

  /** @param {number} width @param {number} height @returns {string} the points of a polyline, the newest at the right */
  draw(width, height) {
    const most = Math.max(...this.sums, 0.001);
    const step = width / (SHOWN_S - 1);
    const first = SHOWN_S - this.sums.length;
    return this.sums.map((sum, index) => `${((first + index) * step).toFixed(1)},${(height - 1 - (sum / most) * (height - 2)).toFixed(1)}`).join(" ");
  }
}
