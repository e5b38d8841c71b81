import assert from "node:assert/strict";
import { test } from "node:test";

import { Throttle } from "../../realtime/static/realtime/throttle.js";
import { FakeClock } from "./fakes.js";

test("the first call is at once, the last is never lost, the ones between are", () => {
  const clock = new FakeClock();
  const seen = [];
  const throttle = new Throttle(clock, 300, (value) => seen.push(value));

  [1, 2, 3].forEach((value) => throttle.call(value));
  assert.deepEqual(seen, [1]);
  clock.pass(300);
  assert.deepEqual(seen, [1, 3]);
  throttle.call(4);
  assert.deepEqual(seen, [1, 3]);
  clock.pass(300);
  assert.deepEqual(seen, [1, 3, 4]);
  clock.pass(300);
  assert.equal(clock.timers.size, 0);
});
