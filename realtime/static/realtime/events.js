/**
 * Server-Sent Events in the place of a socket, for networks that let none through.
 *
 * The rooms are part of the address, so a room that is joined later opens the stream anew; all go on where they were. It says what a
 * socket would say, and swallows what only a socket can carry.
 */
export class EventSocket {
  /**
   * @param {string} url of `/events/`
   * @param {() => Map<string, import("./protocol.js").Position | null>} readRooms the rooms that the page wants, with what it has of them
   * @param {typeof EventSource} EventSource
   */
  constructor(url, readRooms, EventSource) {
    this.url = url;
    this.readRooms = readRooms;
    this.EventSource = EventSource;
    this.onmessage = this.onclose = null;
    this.source = null;
    /** In the address of the stream that is open. */
    this.names = new Set();
    this.#open();
  }

  /** @param {string} text a frame for the server */
  send(text) {
    const { action, data } = JSON.parse(text);
    if (action === "join" && !this.names.has(data.room)) this.#open();
    if (action === "leave") this.names.delete(data.room);
  }

  close() {
    this.source?.close();
    this.source = null;
  }

  #open() {
    this.close();
    const rooms = this.readRooms();
    this.names = new Set(rooms.keys());
    const address = new URL(this.url);
    for (const name of this.names) address.searchParams.append("room", name);
    const since = [...rooms].filter(([, position]) => position).map(([name, { epoch, seq }]) => `${name}=${epoch}:${seq}`);
    if (since.length) address.searchParams.set("since", since.join(","));
    const source = new this.EventSource(address.href);
    this.source = source;
    source.onmessage = (event) => this.onmessage?.({ data: event.data });
    source.onerror = () => {
      // It would come back by itself, and with an address that is old by then.
      if (this.source !== source) return;
      this.close();
      this.onclose?.({ code: 1006 });
    };
  }
}
