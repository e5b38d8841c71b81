/** One room on a connection: joined again after every reconnect, asked for again when the server cannot yet. Event: `joined`. */
export class Room extends EventTarget {
  static #joins = 0;

  /**
   * @param {import("./connection.js").RealtimeConnection} connection
   * @param {string} name
   */
  constructor(connection, name) {
    super();
    this.connection = connection;
    this.name = name;
    /** @type {"left" | "joining" | "joined" | "refused"} */
    this.state = "left";
    /** Of the join that is under way; a reply to an older one is dropped. */
    this.ref = null;
    this.timer = null;
    this.onOpen = () => this.#ask();
    this.onFrame = (event) => this.#receive(event.detail);
  }

  join() {
    if (this.state !== "left") return;
    this.state = "joining";
    this.connection.addEventListener("open", this.onOpen);
    this.connection.addEventListener("frame", this.onFrame);
    if (this.connection.isOpen) this.#ask();
  }

  leave() {
    this.state = "left";
    this.ref = null;
    this.connection.clock.clearTimeout(this.timer);
    this.connection.removeEventListener("open", this.onOpen);
    this.connection.removeEventListener("frame", this.onFrame);
    this.connection.send({ action: "leave", data: { room: this.name } });
  }

  #ask() {
    this.connection.clock.clearTimeout(this.timer);
    this.state = "joining";
    Room.#joins += 1;
    this.ref = `join-${Room.#joins}`;
    this.connection.send({ action: "join", data: { room: this.name }, ref: this.ref });
  }

  #receive(frame) {
    if (frame.type === "joined" && frame.data.room === this.name && (!frame.ref || frame.ref === this.ref)) {
      this.state = "joined";
      this.dispatchEvent(new CustomEvent("joined", { detail: frame }));
    } else if (frame.type === "left" && frame.data.room === this.name && !frame.ref) {
      this.state = "refused";
    } else if (frame.type === "error" && this.state === "joining" && this.#isMine(frame)) {
      this.#refuse(frame.data.details?.retry_after_ms);
    }
  }

  /** A frame that was one too many is refused before it is read, so that error carries no ref. */
  #isMine(frame) {
    return frame.ref === this.ref || (!frame.ref && frame.data.code === "rate_limited");
  }

  #refuse(retryAfterMs) {
    if (retryAfterMs === undefined) {
      this.state = "refused";
      return;
    }
    const { clock } = this.connection;
    clock.clearTimeout(this.timer);
    // Spread, since all rooms of all pages were refused at the same time.
    this.timer = clock.setTimeout(() => this.#ask(), retryAfterMs * (1 + clock.random()));
  }
}
