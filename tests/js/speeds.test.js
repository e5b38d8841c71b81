import assert from "node:assert/strict";
import { test } from "node:test";

import { showSpeed, showTimeLeft, SpeedLine } from "../../aniworld_site/static/aniworld_site/pages/speeds.js";

test("a speed is shown in the unit that fits it", () => {
  assert.equal(showSpeed(0), "");
  assert.equal(showSpeed(0.004), "1 KiB/s");
  assert.equal(showSpeed(8), "977 KiB/s");
  assert.equal(showSpeed(42.5), "5.1 MiB/s");
});

test("time left is shown as people say it, and not while nobody knows", () => {
  assert.equal(showTimeLeft(null), "");
  assert.equal(showTimeLeft(0), "0 s left");
  assert.equal(showTimeLeft(61), "1 min 1 s left");
  assert.equal(showTimeLeft(7_260), "2 h 1 min left");
});

test("the line is the sum of all downloads, second by second", () => {
  const line = new SpeedLine();
  line.note(1, 2, 0);
  line.note(2, 3, 0);

  assert.equal(line.step(100), 5);
  line.forget(1);
  assert.equal(line.step(1_100), 3);
});

test("a download that falls silent counts no more", () => {
  const line = new SpeedLine();
  line.note(1, 2, 0);

  assert.equal(line.step(4_000), 2);
  assert.equal(line.step(4_001), 0);
});

test("the line holds two minutes and ends at the right", () => {
  const line = new SpeedLine();
  for (let second = 0; second < 200; second += 1) {
    line.note(1, second, second * 1000);
    line.step(second * 1000);
  }

  const points = line.draw(120, 32).split(" ");
  assert.equal(points.length, 120);
  assert.equal(points[0].split(",")[0], "0.0");
  assert.equal(points.at(-1), "120.0,1.0");
});

test("a line of nothing is flat at the bottom", () => {
  const line = new SpeedLine();
  line.step(0);

  assert.equal(line.draw(120, 32), "120.0,31.0");
});
