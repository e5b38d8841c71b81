import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";

import { Room } from "../../realtime/static/realtime/room.js";
import { ANSWERS_WITHIN_MS, SharedConnection } from "../../realtime/static/realtime/tabs.js";
import { FakeBrowser, FakeClock, FakeDocument, FakeWindow, makeSocketClass, settle } from "./fakes.js";

let browser, clock, sockets, opened;

beforeEach(() => {
  browser = new FakeBrowser();
  clock = new FakeClock();
  sockets = makeSocketClass();
  opened = 0;
});

/** A page with one room, in a tab of its own. */
class Page {
  constructor({ isHidden = false, name = "mia", room = "scan", position = null } = {}) {
    opened += 1;
    clock.chance = opened / 100;
    this.locks = browser.makeLocks();
    this.document = new FakeDocument();
    this.document.hidden = isHidden;
    this.window = new FakeWindow();
    this.connection = new SharedConnection("ws://host/ws/", name, {
      WebSocket: sockets,
      BroadcastChannel: this.locks.makeChannelClass(),
      locks: this.locks,
      clock,
      document: this.document,
      window: this.window,
    });
    this.room = new Room(this.connection, room, position);
    this.connection.readRooms = () => new Map([[this.room.name, this.room.position]]);
    /** What the room had to tell, by seq. */
    this.told = [];
    this.joins = [];
    this.states = [];
    this.connection.addEventListener("state", (event) => this.states.push(event.detail.state));
    this.room.addEventListener("joined", (event) => this.joins.push(event.detail.recovered));
    this.room.addEventListener("frame", (event) => this.told.push(event.detail.frame.seq));
  }

  async open() {
    this.room.join();
    this.connection.connect();
    await settle();
    return this;
  }

  async show(isHidden) {
    this.document.hidden = isHidden;
    this.document.dispatchEvent(new Event("visibilitychange"));
    await settle();
  }

  /** Closed, or killed: the browser lets go of what it held. */
  async end() {
    this.locks.end();
    await settle();
  }
}

const joins = (socket = sockets.last) => socket.sent.filter((frame) => frame.action === "join");
const message = (seq, room = "scan") => ({ type: "scan_progress", room, seq, prev: seq - 1, data: {} });

async function receive(frame) {
  sockets.last.receive(frame);
  await settle();
}

/** As the server does: each join is answered with where the room is, and what was missed comes after it. */
async function answerJoins(seq) {
  for (const { data, ref } of joins()) {
    const since = data.since?.seq ?? null;
    sockets.last.receive({ type: "joined", room: data.room, ref, data: { room: data.room, epoch: "e", seq: since ?? seq, recovered: since !== null, snapshot: since === null ? [] : null } });
    for (let missed = (since ?? seq) + 1; missed <= seq; missed += 1) sockets.last.receive(message(missed, data.room));
  }
  sockets.last.sent.length = 0;
  await settle();
}

let connections = 0;

async function welcome() {
  connections += 1;
  await receive({ type: "connected", data: { connection_id: `c${connections}` } });
}

async function openTwo() {
  const first = await new Page().open();
  await welcome();
  await answerJoins(5);
  const second = await new Page().open();
  await answerJoins(5);
  return [first, second];
}

test("all tabs share one socket, and each hears what its room says, once", async () => {
  const [first, second] = await openTwo();
  await receive(message(6));
  await receive(message(7));

  assert.equal(sockets.opened.length, 1);
  assert.deepEqual([first.told, second.told], [[6, 7], [6, 7]]);
  assert.deepEqual([first.connection.state, second.connection.state], ["live", "live"]);
});

test("a reply goes to the tab that asked; nobody else is put in anew", async () => {
  const [first, second] = await openTwo();

  assert.deepEqual([first.joins, second.joins], [[false], [false]]);
  assert.equal(first.room.position.seq, 5);
});

test("a page that goes on where it was made is given what it missed, and the others do not hear it twice", async () => {
  const first = await new Page().open();
  await welcome();
  await answerJoins(5);
  await receive(message(6));
  const second = await new Page({ position: { epoch: "e", seq: 3 } }).open();
  await answerJoins(6);
  await receive(message(7));

  assert.deepEqual([second.joins, second.told], [[true], [4, 5, 6, 7]]);
  assert.deepEqual(first.told, [6, 7]);
});

test("pages of another user have a socket of their own", async () => {
  await openTwo();
  await new Page({ name: "ben" }).open();
  assert.equal(sockets.opened.length, 2);
});

test("a tab whose rooms are too many for the shared socket gets one of its own", async () => {
  const first = await new Page().open();
  await receive({ type: "connected", data: { connection_id: "small", limits: { max_rooms: 2 } } });
  await answerJoins(5);
  await new Page({ room: "queue" }).open();
  const same = await new Page().open();
  await answerJoins(5);
  assert.equal(sockets.opened.length, 1);

  const third = await new Page({ room: "downloads" }).open();
  assert.equal(sockets.opened.length, 2);
  const shared = sockets.opened[1];
  await welcome();
  await answerJoins(7);
  await receive(message(8, "downloads"));
  shared.receive(message(6));
  await settle();

  assert.deepEqual([first.told, same.told, third.told], [[6], [6], [8]]);
  assert.ok(first.connection.upstream);
  assert.deepEqual([...first.connection.tabs.values()].flatMap((tab) => [...tab.rooms.keys()]), ["scan", "queue", "scan"]);
});

describe("a room", () => {
  test("is left once no tab wants it", async () => {
    const [first, second] = await openTwo();
    first.room.leave();
    await settle();
    assert.deepEqual(sockets.last.sent, []);
    second.room.leave();
    await settle();
    assert.deepEqual(sockets.last.sent, [{ action: "leave", data: { room: "scan" } }]);
  });

  test("is left when the last tab that wants it is killed", async () => {
    await openTwo();
    const third = await new Page({ room: "queue" }).open();
    await answerJoins(5);
    await third.end();
    assert.deepEqual(sockets.last.sent, [{ action: "leave", data: { room: "queue" } }]);
  });
});

describe("when the tab that leads goes", () => {
  test("the next leads, and its rooms go on without a gap", async () => {
    const [first, second] = await openTwo();
    await receive(message(6));
    await first.end();
    assert.equal(sockets.opened.length, 2);
    assert.equal(second.connection.state, "stale");
    await welcome();
    assert.deepEqual(joins().map((frame) => frame.data), [{ room: "scan", since: { epoch: "e", seq: 6 } }]);
    await answerJoins(9);

    assert.deepEqual(second.told, [6, 7, 8, 9]);
    assert.deepEqual(second.states, ["live", "stale", "live"]);
  });

  test("the others follow the new one", async () => {
    const [first, second] = await openTwo();
    const third = await new Page().open();
    await answerJoins(5);
    await first.end();
    await welcome();
    await answerJoins(7);

    assert.equal(sockets.opened.length, 2);
    assert.deepEqual([second.told, third.told], [[6, 7], [6, 7]]);
  });
});

test("a socket that is lost and comes back puts all tabs in again, from where each is", async () => {
  const [first, second] = await openTwo();
  sockets.last.end(1006);
  await settle();
  assert.deepEqual([first.connection.state, second.connection.state], ["stale", "stale"]);
  clock.pass(20_000);
  await welcome();
  assert.equal(joins().length, 2);
  await answerJoins(8);

  assert.deepEqual([first.told, second.told], [[6, 7, 8], [6, 7, 8]]);
});

describe("a tab that is looked at", () => {
  test("takes over from one that is hidden and cannot become live", async () => {
    const first = await new Page().open();
    await welcome();
    await answerJoins(5);
    await first.show(true);
    const second = await new Page().open();
    await answerJoins(5);
    sockets.last.end(4503, { code: 4503, after_ms: 3_000 });
    await settle();
    clock.pass(2_999);
    assert.equal(sockets.opened.length, 1);
    clock.pass(1);
    assert.equal(sockets.opened.length, 2);
    await welcome();
    await answerJoins(6);

    assert.ok(second.connection.upstream);
    assert.equal(first.connection.upstream, null);
    assert.deepEqual([first.told, second.told], [[6], [6]]);
  });

  test("takes over from one that is asleep", async () => {
    const [first, second] = await openTwo();
    const asleep = sockets.last;
    first.connection.channel.owner.isAsleep = true;
    await second.show(false);
    clock.pass(ANSWERS_WITHIN_MS);
    await settle();

    assert.equal(sockets.opened.length, 2);
    assert.equal(asleep.closedWith, 1000);
    await welcome();
    await answerJoins(6);
    assert.deepEqual(second.told, [6]);
  });

  test("leaves a live one alone, hidden or not", async () => {
    const [first, second] = await openTwo();
    await first.show(true);
    await second.show(true);
    await second.show(false);
    clock.pass(ANSWERS_WITHIN_MS);
    await settle();
    assert.equal(sockets.opened.length, 1);
    assert.ok(first.connection.upstream);
  });

  test("asks after silence, and takes over where nobody answers", async () => {
    const [first, second] = await openTwo();
    first.connection.channel.owner.isAsleep = true;
    clock.pass(35_000 + ANSWERS_WITHIN_MS);
    await settle();
    assert.ok(second.connection.upstream);
  });
});

test("nobody comes back while all tabs are hidden, and the one that is shown first does at once", async () => {
  const [first, second] = await openTwo();
  await first.show(true);
  await second.show(true);
  sockets.last.end(1006);
  clock.pass(60_000);
  await settle();
  assert.equal(sockets.opened.length, 1);

  await second.show(false);
  assert.equal(sockets.opened.length, 2);
  assert.ok(second.connection.upstream);
});

describe("who is logged out", () => {
  test("stays away in all tabs, each after one attempt of its own", async () => {
    const [first, second] = await openTwo();
    sockets.last.end(4401, { code: 4401, reconnect: false });
    await settle();
    sockets.last.end(4401, { code: 4401, reconnect: false });
    await settle();
    clock.pass(30_000);
    await settle();

    assert.equal(sockets.opened.length, 2);
    assert.deepEqual([first.connection.state, first.connection.code], ["offline", 4401]);
    assert.deepEqual([second.connection.state, second.connection.code], ["offline", 4401]);
  });

  test("is live again in all tabs once one has logged in again", async () => {
    const [first, second] = await openTwo();
    for (let count = 0; count < 2; count += 1) {
      sockets.last.end(4401, { code: 4401, reconnect: false });
      await settle();
    }
    const third = await new Page().open();
    await welcome();
    await answerJoins(6);

    assert.ok(third.connection.upstream);
    assert.deepEqual([first.connection.state, second.connection.state], ["live", "live"]);
    assert.deepEqual([first.told, second.told], [[6], [6]]);
  });
});

test("events that stand in for the socket begin where the tab is that has least", async () => {
  const asked = [];
  const makeFallback = (readRooms) => {
    asked.push([...readRooms()]);
    return { send() {}, close() {} };
  };
  const first = new Page({ position: { epoch: "e", seq: 8 } });
  first.connection.makeFallback = makeFallback;
  await first.open();
  await new Page({ position: { epoch: "e", seq: 5 } }).open();
  await new Page({ room: "queue" }).open();
  clock.pass(10_000);

  assert.deepEqual(asked, [[["scan", { epoch: "e", seq: 5 }], ["queue", null]]]);
});

test("without locks, as on an insecure address, a tab cannot share", () => {
  assert.equal(SharedConnection.isPossible({ navigator: {}, BroadcastChannel: class {} }), false);
  assert.equal(SharedConnection.isPossible({ navigator: { locks: {} } }), false);
  assert.equal(SharedConnection.isPossible({ navigator: { locks: {} }, BroadcastChannel: class {} }), true);
});
