import { REFRESH_EVERY_MS, State } from "./protocol.js";
import { Room } from "./room.js";
import { matches, Scope, words } from "./scope.js";
import { Throttle } from "./throttle.js";

/** A room that cannot be joined for longer does not keep the others' news back. */
const JOINS_WITHIN_MS = 2_000;

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
    /** Runs from the first join that is answered until the page is refreshed for it. */
    this.joinsTimer = null;
  }

  start() {
    this.connection.addEventListener("frame", (event) => this.#show(event.detail));
    this.connection.addEventListener("state", () => this.#showState());
    this.document.addEventListener("htmx:afterSettle", () => {
      this.#syncRooms();
      this.#showState();
    });
    this.#syncRooms();
    this.#showState();
    this.connection.connect();
  }

  #syncRooms() {
    const wanted = new Set([...this.#all("data-live-rooms")].flatMap((element) => words(element, "data-live-rooms")));
    for (const [name, room] of this.rooms) {
      if (!wanted.has(name)) {
        room.leave();
        this.rooms.delete(name);
      }
    }
    for (const name of wanted) {
      if (this.rooms.has(name)) continue;
      const room = new Room(this.connection, name);
      this.rooms.set(name, room);
      // What happened between the page's making, or the loss, and this join was not delivered.
      room.addEventListener("joined", () => this.#refreshOnceJoined());
      room.join();
    }
  }

  #show(frame) {
    for (const element of this.#all("data-live-on")) this.#scope(element).show(frame);
    for (const element of this.#all("data-live-refresh")) {
      if (words(element, "data-live-refresh").includes(frame.type) && matches(element, frame.data)) this.#refresh(element);
    }
  }

  #scope(element) {
    if (!this.scopes.has(element)) this.scopes.set(element, new Scope(element, this.clock));
    return this.scopes.get(element);
  }

  /** Once for all rooms that are joined together: each alone would fetch every part again. */
  #refreshOnceJoined() {
    this.joinsTimer ??= this.clock.setTimeout(() => this.#refreshAll(), JOINS_WITHIN_MS);
    if (![...this.rooms.values()].some((room) => room.state === "joining")) this.#refreshAll();
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
