import { REFRESH_EVERY_MS, State } from "./protocol.js";
import { Room } from "./room.js";
import { matches, Scope, words } from "./scope.js";
import { Throttle } from "./throttle.js";

/** A room that cannot be joined for longer does not keep the others' news back. */
const JOINS_WITHIN_MS = 2_000;

/**
 * @param {Element[]} elements with `data-live-positions="scan=EPOCH:SEQ series:x=EPOCH:SEQ"`
 * @returns {Map<string, import("./protocol.js").Position | null>} the earliest of each room; null where parts name different streams
 */
export function readPositions(elements) {
  const positions = new Map();
  for (const pair of elements.flatMap((element) => words(element, "data-live-positions"))) {
    const [, name, epoch, seq] = /^(.+)=([^=:]+):(\d+)$/.exec(pair) ?? [];
    if (name === undefined) continue;
    const known = positions.get(name);
    if (known === null) continue;
    if (known && known.epoch !== epoch) positions.set(name, null);
    else positions.set(name, { epoch, seq: Math.min(Number(seq), known?.seq ?? Infinity) });
  }
  return positions;
}

/**
 * @typedef {object} News
 * @property {import("./protocol.js").Frame} frame
 * @property {string} epoch
 * @property {number} at when it was heard
 */

/** Binds a page to a connection by its `data-live-*` attributes. Elements are looked up per message, so swapped ones need no set-up. */
export class LivePage {
  /**
   * @param {import("./connection.js").RealtimeConnection} connection
   * @param {Document} document
   * @param {import("./protocol.js").Clock} clock
   */
  constructor(connection, document, clock) {
    this.connection = connection;
    this.document = document;
    this.clock = clock;
    /** @type {Map<string, Room>} */
    this.rooms = new Map();
    /** @type {WeakMap<Element, Scope>} */
    this.scopes = new WeakMap();
    /** @type {WeakMap<Element, Throttle>} */
    this.refreshers = new WeakMap();
    /** The newest of each type that an element showed or was refreshed for. @type {WeakMap<Element, Map<string, News>>} */
    this.news = new WeakMap();
    /** Runs from the first join that could not go on where the page was made until the page is refreshed for it. */
    this.joinsTimer = null;
  }

  /** @returns {Map<string, import("./protocol.js").Position | null>} the rooms that the page wants, with what it has of them */
  readRooms() {
    return new Map([...this.rooms].map(([name, room]) => [name, room.position]));
  }

  start() {
    this.connection.addEventListener("frame", (event) => {
      // Those of a room come through it, in order and once.
      if (event.detail.room === undefined) this.#show(event.detail);
    });
    this.connection.addEventListener("state", () => this.#showState());
    this.document.addEventListener("htmx:configRequest", (event) => (event.detail.sentAt = this.clock.now()));
    this.document.addEventListener("htmx:afterSettle", (event) => {
      this.#syncRooms();
      this.#showState();
      this.#catchUp(event.target, event.detail?.requestConfig?.sentAt ?? -Infinity);
    });
    this.#syncRooms();
    this.#showState();
    this.connection.connect();
  }

  #syncRooms() {
    const elements = [...this.#all("data-live-rooms")];
    const wanted = new Set(elements.flatMap((element) => words(element, "data-live-rooms")));
    const positions = readPositions(elements);
    for (const [name, room] of this.rooms) {
      if (!wanted.has(name)) {
        room.leave();
        this.rooms.delete(name);
      }
    }
    for (const name of wanted) {
      if (this.rooms.has(name)) continue;
      const room = new Room(this.connection, name, positions.get(name));
      this.rooms.set(name, room);
      room.addEventListener("frame", (event) => this.#show(event.detail.frame, event.detail.isSnapshot));
      room.addEventListener("joined", (event) => this.#settle(event.detail.recovered));
      room.join();
    }
  }

  #show(frame, isSnapshot = false) {
    for (const element of this.#concerned("data-live-on", frame)) this.#scope(element).show(frame);
    // With a snapshot all parts are refreshed anyway.
    if (isSnapshot) return;
    for (const element of this.#concerned("data-live-refresh", frame)) this.#refresh(element);
  }

  /** @returns {Element[]} */
  #concerned(attribute, frame) {
    const elements = [...this.#all(attribute)].filter((each) => words(each, attribute).includes(frame.type) && matches(each, frame.data));
    for (const element of elements) this.#note(element, frame);
    return elements;
  }

  #note(element, frame) {
    const epoch = this.rooms.get(frame.room)?.position?.epoch;
    if (epoch === undefined || frame.seq === undefined) return;
    if (!this.news.has(element)) this.news.set(element, new Map());
    this.news.get(element).set(frame.type, { frame, epoch, at: this.clock.now() });
  }

  /**
   * An answer that was long on its way knows nothing of what was heard meanwhile, and may come after a newer one.
   * @param {Element} part that was swapped
   * @param {number} sentAt when it was asked for
   */
  #catchUp(part, sentAt) {
    for (const element of this.#all("data-live-on")) {
      if (part.contains(element)) for (const { frame } of this.#listUnknown(element, sentAt)) this.#scope(element).show(frame);
    }
    for (const element of this.#all("data-live-refresh")) {
      // It ends with the next answer, which is asked for after the news.
      if (part.contains(element) && this.#listUnknown(element, sentAt).length) this.#refresh(element);
    }
  }

  /** @returns {News[]} what came to an element after it was asked for, and after it was made */
  #listUnknown(element, sentAt) {
    const holder = element.closest("[data-live-positions]");
    const positions = readPositions(holder ? [holder] : []);
    return [...(this.news.get(element)?.values() ?? [])].filter(({ frame, epoch, at }) => {
      const position = positions.get(frame.room);
      return at > sentAt && position?.epoch === epoch && position.seq < frame.seq;
    });
  }

  #scope(element) {
    if (!this.scopes.has(element)) this.scopes.set(element, new Scope(element, this.clock));
    return this.scopes.get(element);
  }

  /** What a room could not give is fetched; once for all rooms that are joined together: each alone would fetch every part again. */
  #settle(recovered) {
    if (!recovered) this.joinsTimer ??= this.clock.setTimeout(() => this.#refreshAll(), JOINS_WITHIN_MS);
    const isJoining = [...this.rooms.values()].some((room) => room.state === "joining");
    if (this.joinsTimer !== null && !isJoining) this.#refreshAll();
  }

  #refreshAll() {
    this.clock.clearTimeout(this.joinsTimer);
    this.joinsTimer = null;
    for (const element of this.#all("data-live-refresh")) this.#refresh(element);
  }

  #refresh(element) {
    if (!this.refreshers.has(element)) {
      // A swap may have replaced the element while this refresh waited.
      const dispatch = () => {
        const current = element.isConnected ? element : this.document.getElementById(element.id);
        current?.dispatchEvent(new CustomEvent("live:refresh", { bubbles: false }));
      };
      this.refreshers.set(element, new Throttle(this.clock, REFRESH_EVERY_MS, dispatch));
    }
    this.refreshers.get(element).call();
  }

  #showState() {
    const { state, code, since } = this.connection;
    for (const element of this.#all("data-live-status")) {
      const label = element.getAttribute(`data-live-label-${state}`);
      element.dataset.state = state;
      element.dataset.code = code ?? "";
      // An unchanged text is not set again: a screen reader would read it again.
      if (label !== null && element.textContent !== label) element.textContent = label;
    }
    for (const element of this.#all("data-live-since")) {
      const isOld = state === State.STALE || state === State.OFFLINE;
      element.textContent = isOld ? new Date(since).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }) : "";
    }
  }

  #all(attribute) {
    return this.document.querySelectorAll(`[${attribute}]`);
  }
}
