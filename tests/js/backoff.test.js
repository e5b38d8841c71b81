import assert from "node:assert/strict";
import { test } from "node:test";

import { Backoff } from "../../realtime/static/realtime/backoff.js";
import { FakeClock } from "./fakes.js";

test("delays stay between half a second and a bound that doubles up to twenty seconds", () => {
  const clock = new FakeClock();
  for (const chance of [0, 0.5, 0.999]) {
    const backoff = new Backoff(clock);
    clock.chance = chance;
    for (const bound of [1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000]) {
      const delay = backoff.next();
      assert.ok(delay >= 500 && delay < bound, `${delay} is not below ${bound}`);
    }
  }
});

test("even the first delay is spread", () => {
  const clock = new FakeClock();
  clock.chance = 0;
  const shortest = new Backoff(clock).next();
  clock.chance = 0.9;
  assert.ok(new Backoff(clock).next() > shortest);
});

test("reset starts anew", () => {
  const backoff = new Backoff(new FakeClock());
  const first = backoff.next();
  backoff.next();
  backoff.reset();
  assert.equal(backoff.next(), first);
});
