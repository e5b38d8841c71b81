import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";

import { RealtimeConnection } from "../../realtime/static/realtime/connection.js";
import { makeEnvironment } from "./fakes.js";

let environment, clock, sockets, connection, states;

beforeEach(() => {
  environment = makeEnvironment();
  ({ clock, WebSocket: sockets } = environment);
  connection = new RealtimeConnection("ws://host/ws/", environment);
  states = [];
  connection.addEventListener("state", (event) => states.push(event.detail.state));
  connection.connect();
});

describe("states", () => {
  test("connecting until the server has welcomed, then live", () => {
    assert.equal(connection.state, "connecting");
    assert.equal(sockets.last.url, "ws://host/ws/");
    sockets.last.welcome();
    assert.deepEqual(states, ["live"]);
  });

  test("a lost connection is stale, one that never was live is still connecting", () => {
    sockets.last.end(1006);
    assert.equal(connection.state, "connecting");
    clock.pass(20_000);
    sockets.last.welcome();
    sockets.last.end(1006);
    assert.deepEqual(states, ["live", "stale"]);
  });

  test("a server that gets no messages itself says so, and when they are back", () => {
    sockets.last.welcome();
    sockets.last.receive({ type: "system_warning", data: { severity: "warning", message: "", details: { live: false } } });
    sockets.last.receive({ type: "system_info", data: { severity: "info", message: "", details: { live: true } } });
    assert.deepEqual(states, ["live", "stale", "live"]);
  });
});

test("a ping is answered by a pong with the same data", () => {
  sockets.last.welcome();
  sockets.last.receive({ type: "ping", data: { n: 7 } });
  assert.deepEqual(sockets.last.sent, [{ action: "pong", data: { n: 7 } }]);
});

test("nothing is sent before the welcome", () => {
  assert.equal(connection.send({ action: "ping" }), false);
  assert.deepEqual(sockets.last.sent, []);
});

test("frames are handed on", () => {
  const types = [];
  connection.addEventListener("frame", (event) => types.push(event.detail.type));
  sockets.last.welcome();
  sockets.last.receive({ type: "scan_progress" });
  assert.deepEqual(types, ["connected", "scan_progress"]);
});

describe("watchdog", () => {
  test("35 s of silence are the end of a connection, whatever the network says", () => {
    sockets.last.welcome();
    clock.pass(34_999);
    assert.equal(connection.state, "live");
    const old = sockets.last;
    clock.pass(1);
    assert.equal(old.closedWith, null);
    assert.equal(connection.state, "stale");
    clock.pass(0);
    assert.equal(sockets.opened.length, 2);
  });

  test("any frame counts as life", () => {
    sockets.last.welcome();
    for (let count = 0; count < 5; count += 1) {
      clock.pass(30_000);
      sockets.last.receive({ type: "ping" });
    }
    assert.equal(sockets.opened.length, 1);
  });

  test("a handshake that never ends is given up", () => {
    clock.pass(35_000);
    clock.pass(20_000);
    assert.equal(sockets.opened.length, 2);
  });

  test("what an abandoned socket says later is not heard", () => {
    const old = sockets.last;
    old.welcome();
    clock.pass(35_000);
    old.welcome();
    old.end(4401);
    assert.equal(connection.state, "stale");
  });
});

describe("close codes", () => {
  for (const code of [1000, 4400, 4401, 4403]) {
    test(`${code} stays away`, () => {
      sockets.last.welcome();
      sockets.last.end(code, { reconnect: false });
      clock.pass(600_000);
      assert.equal(connection.state, "offline");
      assert.equal(connection.code, code);
      assert.equal(sockets.opened.length, 1);
    });
  }

  test("4401 stays away even when its bye was lost", () => {
    sockets.last.end(4401);
    clock.pass(600_000);
    assert.equal(sockets.opened.length, 1);
  });

  test("a bye counts where the code of the close was lost", () => {
    sockets.last.welcome();
    sockets.last.receive({ type: "bye", data: { code: 4401, reconnect: false, after_ms: 0, message: "" } });
    sockets.last.end(1006);
    assert.equal(connection.code, 4401);
    assert.equal(connection.state, "offline");
  });

  test("4406 reloads the page", () => {
    sockets.last.end(4406, { reconnect: false });
    assert.equal(environment.window.reloads, 1);
    clock.pass(600_000);
    assert.equal(sockets.opened.length, 1);
  });

  test("4408 returns at once, but not again and again", () => {
    sockets.last.welcome();
    sockets.last.end(4408, {});
    clock.pass(0);
    assert.equal(sockets.opened.length, 2);
    sockets.last.welcome();
    sockets.last.end(4408, {});
    clock.pass(499);
    assert.equal(sockets.opened.length, 2);
    clock.pass(20_000);
    assert.equal(sockets.opened.length, 3);
  });

  for (const code of [4429, 4503]) {
    test(`${code} returns after after_ms`, () => {
      sockets.last.welcome();
      sockets.last.end(code, { after_ms: 3_000 });
      clock.pass(2_999);
      assert.equal(sockets.opened.length, 1);
      clock.pass(1);
      assert.equal(sockets.opened.length, 2);
    });
  }

  for (const code of [4500, 1006, 1011, 1012, 4999]) {
    test(`${code} returns with backoff that grows`, () => {
      const waits = [];
      for (let count = 1; count <= 4; count += 1) {
        sockets.last.end(code);
        const from = clock.now();
        while (sockets.opened.length === count) clock.pass(50);
        waits.push(clock.now() - from);
      }
      assert.deepEqual([...waits].sort((a, b) => a - b), waits);
      assert.ok(waits[0] >= 500 && waits[3] > 2_000);
    });
  }

  test("30 s of quiet life start the backoff anew", () => {
    for (let count = 0; count < 5; count += 1) {
      sockets.last.end(1006);
      clock.pass(20_000);
    }
    sockets.last.welcome();
    clock.pass(30_000);
    sockets.last.end(1006);
    clock.pass(1_000);
    assert.equal(sockets.opened.length, 7);
  });
});

describe("page and network", () => {
  test("a hidden page waits until it is shown", () => {
    sockets.last.welcome();
    environment.document.hidden = true;
    sockets.last.end(1006);
    clock.pass(600_000);
    assert.equal(sockets.opened.length, 1);
    environment.document.hidden = false;
    environment.document.dispatchEvent(new Event("visibilitychange"));
    assert.equal(sockets.opened.length, 2);
  });

  test("a page without a network is offline, and comes back with it at once", () => {
    sockets.last.welcome();
    environment.window.navigator.onLine = false;
    sockets.last.end(1006);
    clock.pass(600_000);
    assert.equal(connection.state, "offline");
    environment.window.navigator.onLine = true;
    environment.window.dispatchEvent(new Event("online"));
    assert.equal(sockets.opened.length, 2);
  });

  test("`online` cuts the backoff short, and does nothing to a live connection", () => {
    sockets.last.end(1006);
    environment.window.dispatchEvent(new Event("online"));
    assert.equal(sockets.opened.length, 2);
    sockets.last.welcome();
    environment.window.dispatchEvent(new Event("online"));
    clock.pass(20_000);
    assert.equal(sockets.opened.length, 2);
  });

  test("being shown again does not cut the backoff short", () => {
    sockets.last.end(1006);
    environment.document.dispatchEvent(new Event("visibilitychange"));
    assert.equal(sockets.opened.length, 1);
  });
});

test("close leaves for good and leaves no timer", () => {
  const socket = sockets.last;
  socket.welcome();
  connection.close();
  assert.equal(socket.closedWith, 1000);
  assert.equal(connection.state, "offline");
  assert.equal(clock.timers.size, 0);
});

test("a server hears what the client can do", () => {
  sockets.last.welcome();
  assert.deepEqual(sockets.last.hello, { protocol: 1, acks: true, batch: true });
});

test("every 32nd frame is acknowledged, a batch counts as one, and what is in it comes out in order", () => {
  const types = [];
  connection.addEventListener("frame", (event) => types.push(event.detail.type));
  sockets.last.welcome();
  types.length = 0;
  const messages = [{ type: "a" }, { type: "b" }];
  for (let count = 0; count < 31; count += 1) sockets.last.receive({ type: "batch", data: { messages } });
  assert.deepEqual(sockets.last.acks, []);
  sockets.last.receive({ type: "c" });
  assert.deepEqual(sockets.last.acks, [32]);
  assert.deepEqual(types.slice(-3), ["a", "b", "c"]);
});

test("large frames are acknowledged sooner, and the rest after a second", () => {
  sockets.last.welcome();
  sockets.last.receive({ type: "a", data: { text: "x".repeat(140_000) } });
  assert.deepEqual(sockets.last.acks, [1]);
  sockets.last.receive({ type: "b" });
  clock.pass(999);
  assert.deepEqual(sockets.last.acks, [1]);
  clock.pass(1);
  assert.deepEqual(sockets.last.acks, [1, 2]);
  clock.pass(10_000);
  assert.deepEqual(sockets.last.acks, [1, 2]);
});

test("counting begins anew with each socket", () => {
  sockets.last.welcome();
  sockets.last.receive({ type: "a" });
  sockets.last.end(1006);
  clock.pass(20_000);
  sockets.last.welcome();
  sockets.last.receive({ type: "a" });
  clock.pass(1_000);
  assert.deepEqual(sockets.last.acks, [1]);
});

test("a page that the server does not understand reloads once", () => {
  sockets.last.end(4406, { reconnect: true });
  assert.equal(environment.window.reloads, 1);
  const again = new RealtimeConnection("ws://host/ws/", environment);
  again.connect();
  sockets.last.end(4406, { reconnect: true });
  assert.deepEqual([environment.window.reloads, again.state], [1, "offline"]);
});
