/**
 * Starts by itself on a page with `<meta name="realtime-url" content="/ws/">`.
 *
 * Pages with the same `<meta name="realtime-share" content="…">`, the user for example, share one socket where the browser can.
 */

import { RealtimeConnection } from "./connection.js";
import { EventSocket } from "./events.js";
import { LivePage } from "./live.js";
import { browserClock } from "./protocol.js";
import { SharedConnection } from "./tabs.js";

export { Backoff } from "./backoff.js";
export { CloseCode, State } from "./protocol.js";
export { LivePage, RealtimeConnection, SharedConnection };
export { Room } from "./room.js";

/**
 * @param {Document} document
 * @returns {LivePage | null} null where the page names no address
 */
export function start(document) {
  const path = readMeta(document, "realtime-url");
  if (!path) return null;
  const url = new URL(path, document.baseURI);
  url.protocol = url.protocol.replace("http", "ws");
  const share = readMeta(document, "realtime-share");
  const connection = share && SharedConnection.isPossible() ? new SharedConnection(url.href, share) : new RealtimeConnection(url.href);
  const page = new LivePage(connection, document, browserClock);
  connection.readRooms = () => page.readRooms();
  const events = readMeta(document, "realtime-events-url");
  if (events && globalThis.EventSource) {
    const address = new URL(events, document.baseURI).href;
    connection.makeFallback = (readRooms) => new EventSocket(address, readRooms, globalThis.EventSource);
  }
  page.start();
  return page;
}

function readMeta(document, name) {
  return document.querySelector(`meta[name="${name}"]`)?.getAttribute("content");
}

/** The page's own, for modules that want frames or the state. */
export const livePage = typeof document === "undefined" ? null : start(document);
