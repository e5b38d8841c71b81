import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { RealtimeConnection } from "../../realtime/static/realtime/connection.js";
import { start } from "../../realtime/static/realtime/index.js";
import { LivePage, readPositions } from "../../realtime/static/realtime/live.js";
import { FakeElement, makeEnvironment } from "./fakes.js";

let environment, clock, sockets, document;

beforeEach(() => {
  environment = makeEnvironment();
  ({ clock, WebSocket: sockets, document } = environment);
});

function open(...children) {
  document.append(...children);
  const page = new LivePage(new RealtimeConnection("ws://host/ws/", environment), document, clock);
  page.start();
  return page;
}

const sent = (action) => sockets.last.sent.filter((frame) => frame.action === action).map((frame) => frame.data.room);
const settle = () => document.dispatchEvent(new Event("htmx:afterSettle"));

const joins = () => sockets.last.sent.filter((frame) => frame.action === "join");
const answer = (frame) => sockets.last.receive({ type: "joined", data: frame.data, ref: frame.ref });
const answerJoins = () => joins().forEach(answer);
const answerJoin = (room) => answer(joins().find((frame) => frame.data.room === room));

function countRefreshes(element) {
  const counter = { count: 0 };
  element.addEventListener("live:refresh", () => (counter.count += 1));
  return counter;
}

test("the rooms of the whole page are joined, each once", () => {
  open(new FakeElement({ "data-live-rooms": "scan  series:mushishi" }), new FakeElement({ "data-live-rooms": "scan" }));
  sockets.last.welcome();
  assert.deepEqual(sent("join"), ["scan", "series:mushishi"]);
});

test("after a swap, new rooms are joined and those no longer named are left", () => {
  const element = new FakeElement({ "data-live-rooms": "scan queue" });
  open(element);
  sockets.last.welcome();

  element.setAttribute("data-live-rooms", "queue downloads");
  settle();
  settle();

  assert.deepEqual(sent("join"), ["scan", "queue", "downloads"]);
  assert.deepEqual(sent("leave"), ["scan"]);
});

test("messages reach their scopes, those that were swapped in too", () => {
  open(new FakeElement({ "data-live-rooms": "scan" }));
  sockets.last.welcome();
  answerJoins();
  const child = new FakeElement({ "data-live-text": "percent" });
  document.append(new FakeElement({ "data-live-on": "scan_progress" }, [child]));

  sockets.last.receive({ type: "scan_progress", data: { percent: 7 }, room: "scan" });

  assert.equal(child.textContent, "7");
});

test("refreshes come at most every 300 ms, and the last one always", () => {
  const element = new FakeElement({ "data-live-refresh": "scan_complete", "data-live-match": "scan_id=1" });
  const refreshes = countRefreshes(element);
  open(element);
  sockets.last.welcome();

  for (let count = 0; count < 5; count += 1) sockets.last.receive({ type: "scan_complete", data: { scan_id: 1 } });
  sockets.last.receive({ type: "scan_complete", data: { scan_id: 2 } });
  assert.equal(refreshes.count, 1);
  clock.pass(300);
  assert.equal(refreshes.count, 2);
  clock.pass(3_000);
  assert.equal(refreshes.count, 2);
});

test("a refresh does not bubble to an outer element that has its own", () => {
  const inner = new FakeElement({ "data-live-refresh": "scan_complete" });
  let bubbles;
  inner.addEventListener("live:refresh", (event) => (bubbles = event.bubbles));
  open(inner);
  sockets.last.welcome();
  sockets.last.receive({ type: "scan_complete" });
  assert.equal(bubbles, false);
});

test("an element that is gone is not refreshed", () => {
  const element = new FakeElement({ "data-live-refresh": "scan_complete" });
  const refreshes = countRefreshes(element);
  open(element);
  sockets.last.welcome();
  sockets.last.receive({ type: "scan_complete" });
  sockets.last.receive({ type: "scan_complete" });
  element.isConnected = false;
  clock.pass(300);
  assert.equal(refreshes.count, 1);
});

test("a refresh that waited reaches the element that took the place of the one it was for", () => {
  const old = new FakeElement({ id: "roots", "data-live-refresh": "scan_complete" });
  open(old);
  sockets.last.welcome();
  sockets.last.receive({ type: "scan_complete" });
  sockets.last.receive({ type: "scan_complete" });
  const replacement = new FakeElement({ id: "roots", "data-live-refresh": "scan_complete" });
  const refreshes = countRefreshes(replacement);
  old.isConnected = false;
  document.children = [replacement];
  clock.pass(300);
  assert.equal(refreshes.count, 1);
});

test("rooms joined together refresh once, when the last one is joined: the page may be older than that", () => {
  const element = new FakeElement({ "data-live-rooms": "scan queue", "data-live-refresh": "scan_complete" });
  const refreshes = countRefreshes(element);
  open(element);
  sockets.last.welcome();
  answerJoin("scan");
  clock.pass(1_000);
  assert.equal(refreshes.count, 0);
  answerJoin("queue");
  assert.equal(refreshes.count, 1);
  clock.pass(10_000);
  assert.equal(refreshes.count, 1);
});

test("after a lost connection the joins refresh once more", () => {
  const element = new FakeElement({ "data-live-rooms": "scan queue", "data-live-refresh": "scan_complete" });
  const refreshes = countRefreshes(element);
  open(element);
  sockets.last.welcome();
  answerJoins();
  clock.pass(10_000);

  sockets.last.end(1006);
  clock.pass(20_000);
  sockets.last.welcome();
  assert.equal(refreshes.count, 1);
  answerJoins();
  assert.equal(refreshes.count, 2);
  clock.pass(10_000);
  assert.equal(refreshes.count, 2);
});

test("a room that is not joined keeps the refresh back for 2 s, and a late join refreshes again", () => {
  const element = new FakeElement({ "data-live-rooms": "scan queue", "data-live-refresh": "scan_complete" });
  const refreshes = countRefreshes(element);
  open(element);
  sockets.last.welcome();
  answerJoin("scan");
  clock.pass(1_999);
  assert.equal(refreshes.count, 0);
  clock.pass(1);
  assert.equal(refreshes.count, 1);
  clock.pass(5_000);
  answerJoin("queue");
  assert.equal(refreshes.count, 2);
});

test("a refused room is not waited for by those that are joined after it", () => {
  const element = new FakeElement({ "data-live-rooms": "scan queue", "data-live-refresh": "scan_complete" });
  const refreshes = countRefreshes(element);
  open(element);
  sockets.last.welcome();
  const { ref } = sockets.last.sent.find((frame) => frame.data.room === "scan");
  sockets.last.receive({ type: "error", data: { code: "forbidden" }, ref });
  answerJoin("queue");
  assert.equal(refreshes.count, 1);
});

test("the status shows state and label, and an unchanged label is not set again", () => {
  const status = new FakeElement({
    "data-live-status": "",
    "data-live-label-connecting": "Connecting…",
    "data-live-label-live": "Live",
    "data-live-label-stale": "Not live",
  });
  const since = new FakeElement({ "data-live-since": "" });
  open(status, since);
  assert.deepEqual([status.dataset.state, status.textContent], ["connecting", "Connecting…"]);
  sockets.last.welcome();
  assert.deepEqual([status.dataset.state, status.textContent, since.textContent], ["live", "Live", ""]);
  sockets.last.end(1006);
  assert.deepEqual([status.dataset.state, status.textContent], ["stale", "Not live"]);
  assert.match(since.textContent, /\d/);
  sockets.last.end(4401, { reconnect: false });
});

test("a status without a label for the state keeps its text", () => {
  const status = new FakeElement({ "data-live-status": "" });
  status.textContent = "Updates";
  open(status);
  assert.equal(status.textContent, "Updates");
});

test("the code of a final close is on the status, so that a page can offer the login", () => {
  const status = new FakeElement({ "data-live-status": "" });
  open(status);
  sockets.last.end(4401, { reconnect: false });
  assert.deepEqual([status.dataset.state, status.dataset.code], ["offline", "4401"]);
});

test("a page that names no address does not start", () => {
  assert.equal(start({ querySelector: () => null }), null);
});

test("a page that can go on where it was made fetches nothing", () => {
  const element = new FakeElement({
    "data-live-rooms": "scan series:x",
    "data-live-positions": "scan=e1:7 series:x=e2:0",
    "data-live-refresh": "scan_complete",
  });
  const refreshes = countRefreshes(element);
  open(element);
  sockets.last.welcome();
  const joins = sockets.last.sent.filter((frame) => frame.action === "join");
  assert.deepEqual(
    joins.map((frame) => frame.data),
    [
      { room: "scan", since: { epoch: "e1", seq: 7 } },
      { room: "series:x", since: { epoch: "e2", seq: 0 } },
    ],
  );

  for (const { data, ref } of joins) {
    sockets.last.receive({ type: "joined", data: { ...data.since, room: data.room, recovered: true, snapshot: null }, room: data.room, ref });
  }
  clock.pass(10_000);
  assert.equal(refreshes.count, 0);
  sockets.last.receive({ type: "scan_complete", room: "scan", seq: 8, prev: 7 });
  assert.equal(refreshes.count, 1);
});

test("a snapshot is shown, and everything is fetched once and not for each of its frames", () => {
  const child = new FakeElement({ "data-live-text": "percent" });
  const element = new FakeElement({ "data-live-rooms": "scan", "data-live-on": "scan_progress", "data-live-refresh": "scan_progress" }, [child]);
  const refreshes = countRefreshes(element);
  open(element);
  sockets.last.welcome();
  const { ref } = sockets.last.sent[0];
  const snapshot = [{ type: "scan_progress", timestamp: "", data: { percent: 40 }, room: "scan", seq: 9 }];

  sockets.last.receive({ type: "joined", data: { room: "scan", epoch: "e", seq: 9, recovered: false, snapshot }, room: "scan", ref });
  clock.pass(10_000);

  assert.equal(child.textContent, "40");
  assert.equal(refreshes.count, 1);
});

test("parts of a page that was made at different times begin at the earliest, and anew where the streams differ", () => {
  const positions = readPositions([
    new FakeElement({ "data-live-positions": "scan=e:9 queue=a:1" }),
    new FakeElement({ "data-live-positions": "scan=e:4 queue=b:1 nonsense =:1 x=e:y" }),
    new FakeElement({ "data-live-positions": "scan=e:6 queue=b:1" }),
  ]);
  assert.deepEqual([...positions], [["scan", { epoch: "e", seq: 4 }], ["queue", null]]);
});

/** A part that was made at 1 and hears of what makes it old. */
function openPart(attributes) {
  const part = new FakeElement({ "data-live-rooms": "queue", "data-live-positions": "queue=e:1", ...attributes });
  open(part);
  sockets.last.welcome();
  const [{ ref }] = joins();
  sockets.last.receive({ type: "joined", data: { room: "queue", epoch: "e", seq: 1, recovered: true }, ref });
  return part;
}

const hear = (seq, data = {}) => sockets.last.receive({ type: "queue_status", data, room: "queue", seq, prev: seq - 1 });

/** Something is heard that the part is refreshed for; an answer may have been asked for before. */
function hearNews(part) {
  const found = { refreshes: countRefreshes(part), sentAt: clock.now() };
  clock.pass(1_000);
  hear(2);
  clock.pass(1_000);
  return found;
}

/** An answer comes that was asked for at a time and made at a place of the room. */
function swap(part, sentAt, seq) {
  part.setAttribute("data-live-positions", `queue=e:${seq}`);
  document.dispatchEvent(Object.assign(new Event("htmx:afterSettle"), { detail: { requestConfig: { sentAt } } }));
}

test("a part is refreshed once when an answer comes that is older than what was heard", () => {
  const part = openPart({ "data-live-refresh": "queue_status" });
  const { refreshes, sentAt } = hearNews(part);
  swap(part, clock.now() - 500, 2);
  assert.equal(refreshes.count, 1);

  swap(part, sentAt, 1);
  clock.pass(1_000);
  swap(part, clock.now(), 1);
  clock.pass(1_000);

  assert.equal(refreshes.count, 2);
});

test("an answer that was asked for after the news, or knows of them, is not asked for again", () => {
  const part = openPart({ "data-live-refresh": "queue_status" });
  const { refreshes, sentAt } = hearNews(part);

  swap(part, clock.now(), 1);
  swap(part, sentAt, 2);
  clock.pass(1_000);

  assert.equal(refreshes.count, 1);
});

test("what a message showed is shown again when an answer comes that is older, and not when it is newer", () => {
  const part = openPart({ "data-live-on": "queue_status", "data-live-text": "active" });
  hear(2, { active: 3 });
  assert.equal(part.textContent, "3");

  part.textContent = "of an older answer";
  swap(part, clock.now() - 500, 1);
  assert.equal(part.textContent, "3");

  part.textContent = "of a newer answer";
  swap(part, clock.now() - 500, 2);
  assert.equal(part.textContent, "of a newer answer");
});

test("a request is marked with the time at which it was made", () => {
  openPart({});
  const event = Object.assign(new Event("htmx:configRequest"), { detail: {} });
  document.dispatchEvent(event);
  assert.equal(event.detail.sentAt, clock.now());
});
