import { Backoff } from "./backoff.js";
import {
  ACK_EVERY_CHARS,
  ACK_EVERY_FRAMES,
  ACK_EVERY_MS,
  browserClock,
  CloseCode,
  FINAL_CODES,
  LIVE_WITHIN_MS,
  QUIET_LIFE_MS,
  SILENCE_MS,
  State,
  TRY_SOCKET_EVERY_MS,
} from "./protocol.js";

const RELOADED = "realtime-reloaded";

/**
 * A socket that comes back by itself.
 *
 * Says what it can do, acknowledges what it read and takes batches apart. Events: `state` (detail: {state, code, since}), `open`
 * (detail: the `connected` frame, once per socket), `frame` (detail: the frame).
 */
export class RealtimeConnection extends EventTarget {
  /**
   * @param {string} url
   * @param {object} [environment] what tests replace
   * @param {typeof WebSocket} [environment.WebSocket]
   * @param {import("./protocol.js").Clock} [environment.clock]
   * @param {Document} [environment.document]
   * @param {Window} [environment.window]
   */
  constructor(url, { WebSocket = globalThis.WebSocket, clock = browserClock, document = globalThis.document, window = globalThis.window } = {}) {
    super();
    this.url = url;
    this.WebSocket = WebSocket;
    this.clock = clock;
    this.document = document;
    this.window = window;
    this.state = State.CONNECTING;
    /** When the state became what it is. */
    this.since = clock.now();
    /** Of the last close. */
    this.code = null;
    this.backoff = new Backoff(clock);
    this.socket = null;
    this.bye = null;
    /** Whether the server has welcomed this socket. */
    this.isOpen = false;
    this.wasLive = false;
    /** Whether it was told to stay away. */
    this.isOver = false;
    this.openedAt = 0;
    /** Frames since `hello`, and what of them the server has not heard of. */
    this.received = this.unackedFrames = this.unackedChars = 0;
    this.ackTimer = null;
    this.watchdog = null;
    /** The rooms that are wanted, with what there is of them. @type {() => Map<string, import("./protocol.js").Position | null>} */
    this.readRooms = () => new Map();
    /** Makes what stands in for a socket that does not become live, for these rooms. @type {((readRooms: () => Map<string, any>) => any) | null} */
    this.makeFallback = null;
    this.isFallback = false;
    this.fallbackTimer = null;
    /** A socket that is tried while events stand in for it. */
    this.probe = null;
    this.probeTimer = null;
    this.retryTimer = null;
    /** When the next attempt is made, where one is planned. */
    this.dueAt = null;
    /** Whether an attempt is due and waits for the page or the network. */
    this.isHeld = false;
    document.addEventListener("visibilitychange", () => this.#release());
    window.addEventListener("pageshow", () => this.#release());
    window.addEventListener("online", () => this.#wake());
  }

  /** @param {number} [afterMs] where the server is not to be asked before */
  connect(afterMs = 0) {
    if (this.socket) return;
    this.isOver = false;
    if (afterMs > 0) {
      this.#retryIn(afterMs);
      return;
    }
    this.fallbackTimer ??= this.clock.setTimeout(() => this.#fallBack(), LIVE_WITHIN_MS);
    this.#use(new this.WebSocket(this.url), false);
  }

  #use(socket, isFallback) {
    this.#clear();
    this.bye = null;
    this.socket = socket;
    this.isFallback = isFallback;
    socket.onmessage = (event) => this.#receive(event.data);
    socket.onclose = (event) => this.#lose(event.code);
    this.#watch();
  }

  /** No socket became live: let events stand in, and go on trying. */
  #fallBack() {
    this.fallbackTimer = null;
    if (this.isOpen || !this.makeFallback || this.document.hidden) return;
    this.socket?.close();
    this.#use(this.makeFallback(this.readRooms), true);
    this.#tryAgainLater();
  }

  #tryAgainLater() {
    this.clock.clearTimeout(this.probeTimer);
    this.probeTimer = this.clock.setTimeout(() => this.#try(), TRY_SOCKET_EVERY_MS);
  }

  #try() {
    if (!this.isFallback || !this.socket) return;
    const probe = new this.WebSocket(this.url);
    this.probe = probe;
    probe.onclose = () => (this.probe = null);
    probe.onmessage = (event) => {
      this.probe = null;
      this.socket?.close();
      this.#use(probe, false);
      this.#receive(event.data);
    };
    this.clock.setTimeout(() => {
      if (this.probe === probe) this.#dropProbe();
    }, LIVE_WITHIN_MS);
    this.#tryAgainLater();
  }

  #dropProbe() {
    if (!this.probe) return;
    this.probe.onmessage = this.probe.onclose = null;
    this.probe.close();
    this.probe = null;
  }

  /** Leave for good. */
  close() {
    this.#dropProbe();
    this.socket?.close(CloseCode.NORMAL);
    this.#lose(CloseCode.NORMAL);
  }

  /**
   * @param {object} frame
   * @returns {boolean} whether there was an open socket to send it on
   */
  send(frame) {
    if (!this.isOpen) return false;
    this.socket.send(JSON.stringify(frame));
    return true;
  }

  #receive(text) {
    this.#watch();
    this.#count(text);
    const frame = JSON.parse(text);
    const frames = frame.type === "batch" ? frame.data.messages : [frame];
    for (const each of frames) this.#take(each);
  }

  /** @param {import("./protocol.js").Frame} frame */
  #take(frame) {
    if (frame.type === "connected") {
      this.isOpen = this.wasLive = true;
      this.openedAt = this.clock.now();
      this.received = 0;
      this.clock.clearTimeout(this.fallbackTimer);
      this.fallbackTimer = null;
      this.window.sessionStorage?.removeItem(RELOADED);
      this.send({ action: "hello", data: { protocol: 1, acks: true, batch: true } });
      this.#enter(State.LIVE);
      this.dispatchEvent(new CustomEvent("open", { detail: frame }));
    } else if (frame.type === "ping") {
      this.send({ action: "pong", data: frame.data });
    } else if (frame.type === "bye") {
      this.bye = frame.data;
    } else if (typeof frame.data?.details?.live === "boolean" && frame.room === undefined) {
      // The server itself gets no messages for now, or gets them again.
      this.#enter(frame.data.details.live ? State.LIVE : State.STALE);
    }
    this.dispatchEvent(new CustomEvent("frame", { detail: frame }));
  }

  /** A server that hears nothing sends no more than its window, and merges the rest. */
  #count(text) {
    if (!this.isOpen) return;
    this.received += 1;
    this.unackedFrames += 1;
    this.unackedChars += text.length;
    if (this.unackedFrames >= ACK_EVERY_FRAMES || this.unackedChars >= ACK_EVERY_CHARS) this.#acknowledge();
    else this.ackTimer ??= this.clock.setTimeout(() => this.#acknowledge(), ACK_EVERY_MS);
  }

  #acknowledge() {
    this.clock.clearTimeout(this.ackTimer);
    this.ackTimer = null;
    this.unackedFrames = this.unackedChars = 0;
    this.send({ action: "ack", data: { n: this.received } });
  }

  #watch() {
    this.clock.clearTimeout(this.watchdog);
    // A dead network may never report the close.
    this.watchdog = this.clock.setTimeout(() => {
      this.socket?.close();
      this.#lose(CloseCode.TOO_SLOW);
    }, SILENCE_MS);
  }

  #lose(code) {
    if (this.isOpen && this.clock.now() - this.openedAt >= QUIET_LIFE_MS) this.backoff.reset();
    this.#clear();
    const bye = this.bye ?? {};
    this.code = bye.code ?? code;
    if (this.code === CloseCode.UNKNOWN_VERSION) {
      this.#enter(State.OFFLINE);
      this.#reload();
    } else if (FINAL_CODES.includes(this.code) || bye.reconnect === false) {
      this.clock.clearTimeout(this.fallbackTimer);
      this.isOver = true;
      this.#enter(State.OFFLINE);
    } else {
      this.fallbackTimer ??= this.clock.setTimeout(() => this.#fallBack(), LIVE_WITHIN_MS);
      this.#retryIn(this.#delay(bye.after_ms ?? 0));
      this.#enter(this.wasLive ? State.STALE : State.CONNECTING);
    }
  }

  /** Once: a page that the server does not understand after it, either, would never come to rest. */
  #reload() {
    if (this.window.sessionStorage?.getItem(RELOADED)) return;
    this.window.sessionStorage?.setItem(RELOADED, "1");
    this.window.location.reload();
  }

  #delay(afterMs) {
    if (this.code === CloseCode.TOO_MANY || this.code === CloseCode.RESTART) return afterMs || this.backoff.next();
    if (this.code === CloseCode.TOO_SLOW && this.backoff.attempts === 0) {
      this.backoff.next();
      return 0;
    }
    return Math.max(afterMs, this.backoff.next());
  }

  #retryIn(ms) {
    this.dueAt = this.clock.now() + ms;
    this.retryTimer = this.clock.setTimeout(() => {
      this.retryTimer = null;
      this.isHeld = true;
      this.#release();
    }, ms);
  }

  /** Make the attempt that is due, unless nobody looks or there is no network. */
  #release() {
    if (!this.isHeld || this.document.hidden) return;
    if (this.window.navigator.onLine === false) {
      this.#enter(State.OFFLINE);
      return;
    }
    this.connect();
  }

  /** The network is back: do not wait any longer. */
  #wake() {
    if (this.retryTimer === null && !this.isHeld) return;
    this.isHeld = true;
    this.#release();
  }

  #clear() {
    this.isFallback = false;
    this.clock.clearTimeout(this.probeTimer);
    this.clock.clearTimeout(this.watchdog);
    this.clock.clearTimeout(this.retryTimer);
    this.clock.clearTimeout(this.ackTimer);
    this.retryTimer = this.ackTimer = this.dueAt = null;
    this.unackedFrames = this.unackedChars = 0;
    this.isHeld = false;
    this.isOpen = false;
    if (this.socket) {
      this.socket.onmessage = this.socket.onclose = null;
      this.socket = null;
    }
  }

  #enter(state) {
    if (state === this.state) return;
    this.state = state;
    this.since = this.clock.now();
    this.dispatchEvent(new CustomEvent("state", { detail: { state, code: this.code, since: this.since } }));
  }
}
