/** Words and times of the wire; `wire.js` is written by the server. */

export { CloseCode, FINAL_CODES } from "./wire.js";

export const State = Object.freeze({
  /** Never was live, is trying. */
  CONNECTING: "connecting",
  LIVE: "live",
  /** Was live; what the page shows may be old; is trying. */
  STALE: "stale",
  /** Does not try: told to stay away, or no network. */
  OFFLINE: "offline",
});

/** Nothing heard for so long means that the other end is gone; the server pings every 25 s. */
export const SILENCE_MS = 35_000;
export const MIN_BACKOFF_MS = 500;
export const MAX_BACKOFF_MS = 20_000;
/** A connection that lived so long starts the backoff anew. */
export const QUIET_LIFE_MS = 30_000;
/** A socket that is not live by then is stood in for by events. */
export const LIVE_WITHIN_MS = 10_000;
/** While events stand in, the socket is tried so often. */
export const TRY_SOCKET_EVERY_MS = 60_000;
/** So many frames, so much text or so much time, and the server hears what was read. */
export const ACK_EVERY_FRAMES = 32;
export const ACK_EVERY_CHARS = 128 * 1024;
export const ACK_EVERY_MS = 1_000;
export const REFRESH_EVERY_MS = 300;
export const ANNOUNCE_EVERY_MS = 5_000;

/**
 * @typedef {object} Frame
 * @property {string} type
 * @property {string} timestamp ISO 8601 in UTC, always of the same width
 * @property {Record<string, any>} data
 * @property {string} [room]
 * @property {string} [ref]
 * @property {number} [seq] of a room's message
 * @property {number} [prev] the `seq` before it on this connection
 */

/**
 * A place in a room's stream.
 * @typedef {{epoch: string, seq: number}} Position
 */

/**
 * Time and chance, so that tests can hold both.
 * @typedef {object} Clock
 * @property {() => number} now milliseconds
 * @property {(callback: () => void, ms: number) => any} setTimeout
 * @property {(timer: any) => void} clearTimeout
 * @property {() => number} random from 0 to 1
 */

/** @type {Clock} */
export const browserClock = Object.freeze({
  now: () => Date.now(),
  setTimeout: (callback, ms) => globalThis.setTimeout(callback, ms),
  clearTimeout: (timer) => globalThis.clearTimeout(timer),
  random: () => Math.random(),
});
