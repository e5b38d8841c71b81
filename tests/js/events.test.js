import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { RealtimeConnection } from "../../realtime/static/realtime/connection.js";
import { EventSocket } from "../../realtime/static/realtime/events.js";
import { LivePage } from "../../realtime/static/realtime/live.js";
import { FakeElement, makeEnvironment } from "./fakes.js";

let clock, sockets, document, connection, page, sources;

class FakeEventSource {
  constructor(url) {
    this.url = new URL(url);
    this.isOpen = true;
    sources.unshift(this);
  }

  receive(frame) {
    if (this.isOpen) this.onmessage({ data: JSON.stringify({ timestamp: "", data: {}, ...frame }) });
  }

  close() {
    this.isOpen = false;
  }
}

beforeEach(() => {
  const environment = makeEnvironment();
  ({ clock, WebSocket: sockets, document } = environment);
  sources = [];
  connection = new RealtimeConnection("ws://host/ws/", environment);
  page = new LivePage(connection, document, clock);
  connection.readRooms = () => page.readRooms();
  connection.makeFallback = (readRooms) => new EventSocket("http://host/events/", readRooms, FakeEventSource);
});

function open(positions = "scan=e:5") {
  const child = new FakeElement({ "data-live-text": "percent" });
  document.append(new FakeElement({ "data-live-rooms": "scan", "data-live-positions": positions, "data-live-on": "scan_progress" }, [child]));
  page.start();
  return child;
}

const joined = (data) => ({ type: "joined", data: { room: "scan", epoch: "e", seq: 5, recovered: true, snapshot: null, ...data }, room: "scan" });
const progress = (seq, percent) => ({ type: "scan_progress", room: "scan", seq, prev: seq - 1, data: { percent } });

function fallBack() {
  clock.pass(10_000);
  sources[0].receive({ type: "connected" });
  sources[0].receive(joined());
}

test("a socket that becomes live in time is left alone", () => {
  open();
  clock.pass(9_999);
  sockets.last.welcome();
  clock.pass(20_000);
  assert.deepEqual([sources.length, connection.state], [0, "live"]);
});

test("events stand in for a socket that does not become live, and rooms go on where they were", () => {
  const child = open();
  fallBack();
  sources[0].receive(progress(6, 40));

  assert.equal(sources[0].url.search, "?room=scan&since=scan%3De%3A5");
  assert.deepEqual([connection.state, child.textContent], ["live", "40"]);
  assert.equal(sockets.last.closedWith, null);
});

test("a room that is wanted later opens the stream anew, from where it was", () => {
  open();
  fallBack();
  sources[0].receive(progress(6, 40));

  document.append(new FakeElement({ "data-live-rooms": "queue" }));
  document.dispatchEvent(new Event("htmx:afterSettle"));

  assert.equal(sources.length, 2);
  assert.equal(sources[1].isOpen, false);
  assert.deepEqual(sources[0].url.searchParams.getAll("room"), ["scan", "queue"]);
  assert.equal(sources[0].url.searchParams.get("since"), "scan=e:6");
});

test("the socket is tried every minute and takes over once it is welcomed, without a gap", () => {
  const child = open();
  fallBack();
  sources[0].receive(progress(6, 40));
  const before = sockets.opened.length;
  clock.pass(30_000);
  sources[0].receive({ type: "ping" });
  clock.pass(30_000);
  assert.equal(sockets.opened.length, before + 1);
  sockets.last.welcome();

  assert.equal(sources[0].isOpen, false);
  const join = sockets.last.sent.find((frame) => frame.action === "join");
  assert.deepEqual(join.data, { room: "scan", since: { epoch: "e", seq: 6 } });
  sockets.last.receive({ ...joined({ seq: 6 }), ref: join.ref });
  sockets.last.receive(progress(7, 50));
  assert.deepEqual([connection.state, child.textContent, connection.isFallback], ["live", "50", false]);
});

test("a socket that still does not answer is given up, and the events go on", () => {
  const child = open();
  fallBack();
  clock.pass(30_000);
  sources[0].receive({ type: "ping" });
  clock.pass(30_000);
  const probe = sockets.last;
  sources[0].receive({ type: "ping" });
  clock.pass(10_000);
  assert.equal(probe.closedWith, null);
  sources[0].receive(progress(6, 60));
  assert.deepEqual([connection.state, child.textContent], ["live", "60"]);
});

test("a stream that breaks is tried again as a socket is, and replaced after ten seconds", () => {
  open();
  fallBack();
  sources[0].onerror();
  assert.equal(connection.state, "stale");
  clock.pass(10_000);
  assert.equal(sources.length, 2);
  sources[0].receive({ type: "connected" });
  assert.equal(connection.state, "live");
});

test("who is logged out stays away, also from events", () => {
  open();
  fallBack();
  sources[0].receive({ type: "bye", data: { code: 4401, reconnect: false, after_ms: 0, message: "" } });
  sources[0].onerror();
  clock.pass(120_000);
  assert.deepEqual([connection.state, connection.code, sources.length], ["offline", 4401, 1]);
});
