import { RealtimeConnection } from "./connection.js";
import { browserClock, SILENCE_MS, State } from "./protocol.js";

/** A tab that leads answers at once; one that does not by then is asleep. */
export const ANSWERS_WITHIN_MS = 2_000;

/**
 * One connection for all tabs of a browser that share a name.
 *
 * One tab leads: it holds the lock and has the socket, and hands every frame on to the others. When it goes the browser gives the lock
 * to the next; a tab that somebody looks at takes it from one that is asleep, or hidden and not live, since the browser slows the
 * timers of hidden tabs. To rooms and pages it looks like a `RealtimeConnection` of the tab's own, and rooms go on where they were
 * whoever leads.
 *
 * Among tabs go: `hello` (I am here, and want these rooms), `send` (a frame for the server), and from the one that leads `lead`
 * (I do, from now on), `state`, `frame` and `full` (have a socket of your own).
 */
export class SharedConnection extends EventTarget {
  /**
   * @param {string} url
   * @param {string} name shared by the tabs of one user; those of others have a socket of their own
   * @param {object} [environment] what tests replace
   * @param {typeof WebSocket} [environment.WebSocket]
   * @param {typeof BroadcastChannel} [environment.BroadcastChannel]
   * @param {LockManager} [environment.locks]
   * @param {import("./protocol.js").Clock} [environment.clock]
   * @param {Document} [environment.document]
   * @param {Window} [environment.window]
   */
  constructor(
    url,
    name,
    {
      WebSocket = globalThis.WebSocket,
      BroadcastChannel = globalThis.BroadcastChannel,
      locks = globalThis.navigator?.locks,
      clock = browserClock,
      document = globalThis.document,
      window = globalThis.window,
    } = {},
  ) {
    super();
    this.url = url;
    this.name = `realtime:${url}:${name}`;
    this.tab = Array.from({ length: 3 }, () => Math.floor(clock.random() * 2 ** 32).toString(36)).join("");
    this.environment = { WebSocket, clock, document, window };
    this.BroadcastChannel = BroadcastChannel;
    this.locks = locks;
    this.clock = clock;
    this.document = document;
    this.state = State.CONNECTING;
    /** When the state became what it is. */
    this.since = clock.now();
    /** Of the last close. */
    this.code = null;
    this.isOpen = this.wasLive = false;
    /** Of the socket that is open. */
    this.connectionId = null;
    /** The rooms that the page wants, with what it has of them. @type {() => Map<string, import("./protocol.js").Position | null>} */
    this.readRooms = () => new Map();
    /** Makes what stands in for a socket that does not become live, for these rooms. @type {((readRooms: () => Map<string, any>) => any) | null} */
    this.makeFallback = null;
    this.channel = null;
    /** The tab that leads, as far as this one knows. */
    this.leader = null;
    /** The socket's own, while this tab leads. @type {RealtimeConnection | null} */
    this.upstream = null;
    /** The `connected` frame of the socket that is open, while this tab leads. */
    this.opened = null;
    /** All tabs by name, while this one leads. @type {Map<string, Tab>} */
    this.tabs = new Map();
    /** When the tab that leads tries again. */
    this.dueAt = null;
    /** Ends the wait for the lock, lets go of it, and of the one that says that this tab is there. */
    this.wait = this.release = this.depart = null;
    /** Whether this tab has a socket for itself, since all rooms together are too many for one. */
    this.isAlone = false;
    this.answerTimer = this.watchdog = null;
  }

  /** @returns {boolean} whether this browser can: not on an insecure address, where it offers no locks */
  static isPossible(scope = globalThis) {
    return Boolean(scope.navigator?.locks && scope.BroadcastChannel);
  }

  connect() {
    if (this.channel) return;
    this.channel = new this.BroadcastChannel(this.name);
    this.channel.onmessage = (event) => this.#hear(event.data);
    this.document.addEventListener("visibilitychange", () => this.#greet());
    // Held as long as the tab lives: whoever is given it knows that the tab is gone.
    this.locks.request(`${this.name}/${this.tab}`, () => {
      this.#greet();
      this.#queue();
      return new Promise((resolve) => (this.depart = resolve));
    });
  }

  /**
   * @param {object} frame
   * @returns {boolean} whether there was an open socket, here or in the tab that leads
   */
  send(frame) {
    // What a tab no longer wants is the leader's business also while nothing is open.
    if (!this.isOpen && frame.action !== "leave") return false;
    if (this.upstream) return this.#pass(this.tab, frame);
    this.#say({ kind: "send", frame });
    return true;
  }

  #say(message) {
    if (!this.isAlone) this.channel.postMessage({ ...message, from: this.tab });
  }

  /** Say that this tab is here, and learn how the socket is. */
  #greet() {
    if (this.upstream) {
      this.#report();
      return;
    }
    this.#say({ kind: "hello", rooms: this.readRooms() });
    if (!this.document.hidden) this.answerTimer ??= this.clock.setTimeout(() => this.#takeOver(), ANSWERS_WITHIN_MS);
  }

  #hear(message) {
    const { kind, from } = message;
    if (kind === "lead") {
      if (this.upstream) return;
      this.leader = from;
      this.connectionId = null;
      this.isOpen = false;
      this.#greet();
    } else if (this.upstream) {
      if (kind === "hello") this.#welcome(from, message.rooms);
      else if (kind === "send" && this.tabs.has(from)) this.#pass(from, message.frame);
    } else if (kind === "state" || kind === "frame") {
      this.leader ??= from;
      if (from !== this.leader) return;
      this.#watch();
      if (kind === "state") this.#adopt(message);
      else this.#take(message.frame);
    } else if (kind === "full" && message.to === this.tab) {
      this.#goAlone();
    }
  }

  /** A socket is in so many rooms at most: what is too much for the shared one gets another. */
  #goAlone() {
    this.wait?.abort();
    this.channel.close();
    this.depart();
    this.isAlone = true;
    this.#lead();
  }

  // As any tab

  /** Nothing heard for so long: ask, and take over where nobody answers. */
  #watch() {
    this.clock.clearTimeout(this.answerTimer);
    this.clock.clearTimeout(this.watchdog);
    this.answerTimer = null;
    this.watchdog = this.clock.setTimeout(() => this.#greet(), SILENCE_MS);
  }

  #adopt({ state, code, since, dueAt, opened, isHidden }) {
    this.dueAt = dueAt;
    if (state === State.LIVE) this.wasLive = true;
    const isNew = opened !== null && opened.data.connection_id !== this.connectionId;
    this.isOpen = opened !== null;
    this.connectionId = opened?.data.connection_id ?? null;
    // A tab that leads for the first time has never been live; what this page shows may be old all the same.
    this.#enter(state === State.CONNECTING && this.wasLive ? State.STALE : state, code, since);
    if (isNew) this.dispatchEvent(new CustomEvent("open", { detail: opened }));
    if (isHidden && state !== State.LIVE && !this.document.hidden && !this.upstream) this.#takeOver();
  }

  #enter(state, code, since) {
    if (state === this.state && code === this.code) return;
    Object.assign(this, { state, code, since });
    this.dispatchEvent(new CustomEvent("state", { detail: { state, code, since } }));
  }

  /** Replies go to the tab that asked, everything else to all. */
  #take(frame) {
    if (frame.ref === undefined) {
      this.dispatchEvent(new CustomEvent("frame", { detail: frame }));
    } else if (frame.ref.startsWith(`${this.tab}/`)) {
      this.dispatchEvent(new CustomEvent("frame", { detail: { ...frame, ref: frame.ref.slice(this.tab.length + 1) } }));
    }
  }

  // Who leads

  #takeOver() {
    this.answerTimer = null;
    if (!this.upstream && !this.document.hidden) this.#queue({ steal: true });
  }

  #queue({ steal = false } = {}) {
    this.wait?.abort();
    this.wait = steal ? null : new AbortController();
    let isMine = false;
    const hold = () => {
      isMine = true;
      this.wait = null;
      this.#lead();
      return new Promise((resolve) => (this.release = resolve));
    };
    // Rejected when a wait is ended, and when another tab took the lock.
    this.locks.request(this.name, steal ? { steal } : { signal: this.wait.signal }, hold).catch(() => {
      if (!isMine) return;
      this.#stepDown();
      this.#queue();
      this.#greet();
    });
  }

  #lead() {
    this.clock.clearTimeout(this.answerTimer);
    this.clock.clearTimeout(this.watchdog);
    this.answerTimer = null;
    this.leader = this.tab;
    this.opened = this.connectionId = null;
    this.isOpen = false;
    this.tabs.clear();
    this.tabs.set(this.tab, new Tab(this.readRooms()));
    const upstream = new RealtimeConnection(this.url, this.environment);
    this.upstream = upstream;
    upstream.makeFallback = this.makeFallback;
    upstream.readRooms = () => this.#readAllRooms();
    upstream.addEventListener("state", () => this.#report());
    upstream.addEventListener("open", (event) => {
      this.opened = event.detail;
      this.#report();
    });
    upstream.addEventListener("frame", (event) => this.#spread(event.detail));
    this.#say({ kind: "lead" });
    upstream.connect(Math.max((this.dueAt ?? 0) - this.clock.now(), 0));
    this.#report();
  }

  #stepDown() {
    const upstream = this.upstream;
    this.upstream = this.leader = this.release = null;
    this.tabs.clear();
    upstream?.close();
  }

  /** Tell all tabs, this one too, how the socket is. */
  #report() {
    const upstream = this.upstream;
    if (!upstream) return;
    if (!upstream.isOpen) this.opened = null;
    const { state, code, since, dueAt } = upstream;
    const message = { kind: "state", state, code, since, dueAt, opened: this.opened, isHidden: this.document.hidden };
    this.#say(message);
    this.#adopt(message);
    if (upstream.isOver && this.release) {
      // A page of somebody who has logged in again may be let in where this one is not.
      const release = this.release;
      this.#stepDown();
      release();
    }
  }

  #spread(frame) {
    for (const [name, tab] of this.tabs) tab.follow(name, frame);
    this.#say({ kind: "frame", frame });
    this.#take(frame);
  }

  #welcome(name, rooms) {
    if (!this.tabs.has(name)) {
      this.tabs.set(name, new Tab(rooms));
      this.locks.request(`${this.name}/${name}`, () => this.#forget(name));
    }
    this.#report();
  }

  #forget(name) {
    const tab = this.tabs.get(name);
    if (!tab) return;
    for (const room of [...tab.rooms.keys()]) this.#pass(name, { action: "leave", data: { room } });
    this.tabs.delete(name);
  }

  /** Hand a tab's frame on to the server; a room is left once no tab wants it. */
  #pass(name, frame) {
    const { rooms } = this.tabs.get(name);
    if (frame.action === "join") {
      if (!this.#hasRoomFor(frame.data.room) && name !== this.tab) {
        this.#say({ kind: "full", to: name });
        return false;
      }
      rooms.set(frame.data.room, frame.data.since ?? null);
    }
    if (frame.action === "leave") {
      rooms.delete(frame.data.room);
      if ([...this.tabs.values()].some((tab) => tab.rooms.has(frame.data.room))) return true;
    }
    return this.upstream.send(frame.ref === undefined ? frame : { ...frame, ref: `${name}/${frame.ref}` });
  }

  #hasRoomFor(room) {
    const all = new Set([...this.tabs.values()].flatMap((tab) => [...tab.rooms.keys()]));
    return all.add(room).size <= (this.opened?.data.limits?.max_rooms ?? Infinity);
  }

  /** What all tabs want, each from where the tab is that has least of it; from its beginning where one has nothing. */
  #readAllRooms() {
    const all = new Map();
    for (const [name, position] of [...this.tabs.values()].flatMap((tab) => [...tab.rooms])) {
      const known = all.get(name);
      const isFirst = !all.has(name);
      if (isFirst) all.set(name, position);
      else if (!known || !position || known.epoch !== position.epoch) all.set(name, null);
      else if (position.seq < known.seq) all.set(name, position);
    }
    return all;
  }
}

/** What the tab that leads knows of one. */
class Tab {
  /** @param {Map<string, import("./protocol.js").Position | null>} rooms */
  constructor(rooms) {
    this.rooms = new Map([...rooms].map(([name, position]) => [name, position && { ...position }]));
  }

  /** Note what the tab has once it has this frame. */
  follow(name, frame) {
    if (frame.type === "joined") {
      const { room, epoch, seq } = frame.data;
      const isMine = frame.ref === undefined || frame.ref.startsWith(`${name}/`);
      if (isMine && epoch !== undefined && this.rooms.has(room)) this.rooms.set(room, { epoch, seq });
      return;
    }
    const position = this.rooms.get(frame.room);
    if (position && frame.seq > position.seq && frame.prev <= position.seq) position.seq = frame.seq;
  }
}
