/**
 * One room on a connection: joined again after every reconnect where it was left, asked for again when the server cannot yet.
 *
 * What comes twice is dropped, and what is missing is asked for. Events: `joined` (detail: {frame, recovered}), then `frame` (detail:
 * {frame, isSnapshot}) for each message that is news.
 */
export class Room extends EventTarget {
  static #joins = 0;

  /**
   * @param {import("./connection.js").RealtimeConnection} connection
   * @param {string} name
   * @param {import("./protocol.js").Position | null} [position] what the page has of the room already
   */
  constructor(connection, name, position = null) {
    super();
    this.connection = connection;
    this.name = name;
    this.position = position;
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
    const data = { room: this.name };
    if (this.position) data.since = { ...this.position };
    this.connection.send({ action: "join", data, ref: this.ref });
  }

  #receive(frame) {
    if (frame.type === "joined" && frame.data.room === this.name && (!frame.ref || frame.ref === this.ref)) {
      this.#enter(frame);
    } else if (frame.type === "left" && frame.data.room === this.name && !frame.ref) {
      this.state = "refused";
    } else if (frame.type === "error" && this.state === "joining" && this.#isMine(frame)) {
      this.#refuse(frame.data.details?.retry_after_ms);
    } else if (frame.room === this.name && frame.ref === undefined && frame.type !== "joined" && frame.type !== "left") {
      this.#follow(frame);
    }
  }

  #enter(frame) {
    const { epoch, seq, recovered = false, snapshot } = frame.data;
    this.state = "joined";
    if (epoch !== undefined) this.position = { epoch, seq };
    this.dispatchEvent(new CustomEvent("joined", { detail: { frame, recovered } }));
    for (const each of snapshot ?? []) this.#tell(each, true);
  }

  #follow(frame) {
    if (frame.seq !== undefined && this.position) {
      // What comes between asking and the answer comes again after it.
      if (this.state !== "joined" || frame.seq <= this.position.seq) return;
      if (frame.prev > this.position.seq) {
        this.#ask();
        return;
      }
      this.position.seq = frame.seq;
    }
    this.#tell(frame, false);
  }

  #tell(frame, isSnapshot) {
    this.dispatchEvent(new CustomEvent("frame", { detail: { frame, isSnapshot } }));
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
