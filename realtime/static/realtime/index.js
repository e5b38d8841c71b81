/** Starts by itself on a page with `<meta name="realtime-url" content="/ws/">`. */

import { RealtimeConnection } from "./connection.js";
import { EventSocket } from "./events.js";
import { LivePage } from "./live.js";
import { browserClock } from "./protocol.js";

export { Backoff } from "./backoff.js";
export { CloseCode, State } from "./protocol.js";
export { LivePage, RealtimeConnection };
export { Room } from "./room.js";

/**
 * @param {Document} document
 * @returns {LivePage | null} null where the page names no address
 */
export function start(document) {
  const path = document.querySelector('meta[name="realtime-url"]')?.getAttribute("content");
  if (!path) return null;
  const url = new URL(path, document.baseURI);
  url.protocol = url.protocol.replace("http", "ws");
  const connection = new RealtimeConnection(url.href);
  const page = new LivePage(connection, document, browserClock);
  const events = document.querySelector('meta[name="realtime-events-url"]')?.getAttribute("content");
  if (events && globalThis.EventSource) {
    const address = new URL(events, document.baseURI).href;
    connection.makeFallback = () => new EventSocket(address, () => page.readRooms(), globalThis.EventSource);
  }
  page.start();
  return page;
}

/** The page's own, for modules that want frames or the state. */
export const livePage = typeof document === "undefined" ? null : start(document);
