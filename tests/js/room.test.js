import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { RealtimeConnection } from "../../realtime/static/realtime/connection.js";
import { Room } from "../../realtime/static/realtime/room.js";
import { makeEnvironment } from "./fakes.js";

let clock, sockets, connection, room, joins;

beforeEach(() => {
  const environment = makeEnvironment();
  ({ clock, WebSocket: sockets } = environment);
  connection = new RealtimeConnection("ws://host/ws/", environment);
  connection.connect();
  room = new Room(connection, "scan");
  joins = 0;
  room.addEventListener("joined", () => (joins += 1));
});

const lastSent = () => sockets.last.sent.at(-1);
const answer = (frame) => sockets.last.receive({ ref: lastSent().ref, ...frame });

test("a join waits for the welcome", () => {
  room.join();
  assert.deepEqual(sockets.last.sent, []);
  sockets.last.welcome();
  assert.equal(lastSent().action, "join");
  assert.deepEqual(lastSent().data, { room: "scan" });
  answer({ type: "joined", data: { room: "scan" } });
  assert.deepEqual([room.state, joins], ["joined", 1]);
});

test("a room is joined again after a reconnect", () => {
  sockets.last.welcome();
  room.join();
  answer({ type: "joined", data: { room: "scan" } });
  sockets.last.end(1006);
  clock.pass(20_000);
  sockets.last.welcome();
  assert.equal(room.state, "joining");
  answer({ type: "joined", data: { room: "scan" } });
  assert.equal(joins, 2);
});

test("the reply to an older join and those of other rooms are dropped", () => {
  sockets.last.welcome();
  room.join();
  sockets.last.receive({ type: "joined", data: { room: "scan" }, ref: "join-0" });
  sockets.last.receive({ type: "joined", data: { room: "queue" } });
  assert.equal(room.state, "joining");
});

test("a `joined` without ref is the server's own: something may have been missed", () => {
  sockets.last.welcome();
  room.join();
  answer({ type: "joined", data: { room: "scan" } });
  sockets.last.receive({ type: "joined", data: { room: "scan" }, room: "scan" });
  assert.equal(joins, 2);
});

test("a room that is not ours is not asked for again on this socket", () => {
  sockets.last.welcome();
  room.join();
  answer({ type: "error", data: { code: "unknown_room", message: "" } });
  clock.pass(30_000);
  assert.equal(room.state, "refused");
  assert.equal(sockets.last.sent.length, 1);
});

test("a join that comes at a bad time is repeated after the time that the server names", () => {
  sockets.last.welcome();
  room.join();
  answer({ type: "error", data: { code: "internal", message: "", details: { retry_after_ms: 2_000, id: "x" } } });
  clock.pass(1_999);
  assert.equal(sockets.last.sent.length, 1);
  clock.pass(2_001);
  assert.equal(sockets.last.sent.length, 2);
  answer({ type: "joined", data: { room: "scan" } });
  assert.equal(room.state, "joined");
});

test("a join that was one frame too many is repeated, though its error has no ref", () => {
  sockets.last.welcome();
  room.join();
  sockets.last.receive({ type: "error", data: { code: "rate_limited", message: "", details: { retry_after_ms: 50 } } });
  clock.pass(100);
  assert.equal(sockets.last.sent.length, 2);
});

test("leave tells the server and forgets everything", () => {
  sockets.last.welcome();
  room.join();
  room.leave();
  assert.deepEqual(lastSent(), { action: "leave", data: { room: "scan" } });
  sockets.last.receive({ type: "joined", data: { room: "scan" } });
  sockets.last.end(1006);
  clock.pass(20_000);
  sockets.last.welcome();
  assert.deepEqual(sockets.last.sent, []);
  assert.equal(joins, 0);
});

const follow = (seq, prev = seq - 1, type = "scan_progress") => sockets.last.receive({ type, room: "scan", seq, prev });
const enter = (data) => answer({ type: "joined", data: { room: "scan", epoch: "e", seq: 5, recovered: false, snapshot: [], ...data }, room: "scan" });

function listen() {
  const seqs = [];
  room.addEventListener("frame", (event) => seqs.push(event.detail.frame.seq));
  return seqs;
}

test("messages come in order and once", () => {
  const seqs = listen();
  sockets.last.welcome();
  room.join();
  enter();
  for (const seq of [6, 7, 7, 5, 6, 8]) follow(seq);
  assert.deepEqual(seqs, [6, 7, 8]);
  assert.deepEqual(room.position, { epoch: "e", seq: 8 });
});

test("several updates that were merged into one leave no hole", () => {
  const seqs = listen();
  sockets.last.welcome();
  room.join();
  enter();
  follow(9, 5);
  assert.deepEqual(seqs, [9]);
});

test("a hole is asked for, and nothing is told before it is filled", () => {
  const seqs = listen();
  sockets.last.welcome();
  room.join();
  enter();
  follow(6);
  follow(9, 8);
  follow(10, 9);
  assert.deepEqual(lastSent().data, { room: "scan", since: { epoch: "e", seq: 6 } });
  assert.equal(sockets.last.sent.length, 2);
  enter({ seq: 6, recovered: true, snapshot: null });
  for (const seq of [7, 8, 9, 10]) follow(seq);
  assert.deepEqual(seqs, [6, 7, 8, 9, 10]);
});

test("after a reconnect the room goes on where it was", () => {
  const seqs = listen();
  sockets.last.welcome();
  room.join();
  enter();
  follow(6);
  sockets.last.end(1006);
  clock.pass(20_000);
  sockets.last.welcome();
  assert.deepEqual(lastSent().data, { room: "scan", since: { epoch: "e", seq: 6 } });
  enter({ seq: 6, recovered: true, snapshot: null });
  follow(7);
  assert.deepEqual(seqs, [6, 7]);
});

test("another stream begins with its snapshot, whatever its numbers", () => {
  const seqs = listen();
  const recovered = [];
  room.addEventListener("joined", (event) => recovered.push(event.detail.recovered));
  sockets.last.welcome();
  room.join();
  enter({ seq: 500 });
  const snapshot = [{ type: "scan_progress", room: "scan", data: {}, seq: 2 }];
  sockets.last.receive({ type: "joined", data: { room: "scan", epoch: "f", seq: 3, recovered: false, snapshot }, room: "scan" });
  follow(4);
  assert.deepEqual([seqs, recovered, room.position], [[2, 4], [false, false], { epoch: "f", seq: 4 }]);
});

test("messages of the room without a number, and of a server without any, are told as they come", () => {
  const seqs = listen();
  sockets.last.welcome();
  room.join();
  answer({ type: "joined", data: { room: "scan" }, room: "scan" });
  sockets.last.receive({ type: "system_info", room: "scan" });
  assert.equal(seqs.length, 1);
});
