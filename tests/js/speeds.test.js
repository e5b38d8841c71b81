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

const progress = (id, mbps) => ({ type: "download_progress", data: { download_id: id, speed_mbps: mbps } });
const update = (id, status) => ({ type: "download_updated", data: { download_id: id, status } });

test("what comes too late of a download that was held is no speed", () => {
  const line = new SpeedLine();
  assert.equal(line.hear(progress(1, 2), 0), true);
  line.hear(progress(2, 3), 0);

  line.hear(update(1, "paused"), 100);

  assert.equal(line.hear(progress(1, 2), 200), false);
  assert.equal(line.step(300), 3);
});

for (const status of ["active", "verifying"]) {
  test(`a download that was held counts again when it is ${status}`, () => {
    const line = new SpeedLine();
    line.hear(update(1, "queued"), 0);

    line.hear(update(1, status), 100);

    assert.equal(line.hear(progress(1, 2), 200), true);
    assert.equal(line.step(300), 2);
  });
}

test("a download whose start was not heard counts again soon", () => {
  const line = new SpeedLine();
  line.hear(update(1, "queued"), 0);

  assert.equal(line.hear(progress(1, 2), 9_999), false);
  assert.equal(line.hear(progress(1, 2), 10_000), true);
});

test("one that runs stays in the sum while others of its messages come", () => {
  const line = new SpeedLine();
  line.hear(progress(1, 2), 0);

  line.hear(update(1, "verifying"), 100);

  assert.equal(line.step(200), 2);
});

test("what ended leaves the sum, and what is no download changes nothing", () => {
  const line = new SpeedLine();
  line.hear(progress(1, 2), 0);

  line.hear({ type: "queue_status", data: { active: 0 } }, 50);
  assert.equal(line.step(60), 2);
  line.hear({ type: "download_removed", data: { download_id: 1 } }, 100);

  assert.equal(line.step(200), 0);
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
