import assert from "node:assert/strict";
import { test } from "node:test";

import { format, Scope } from "../../realtime/static/realtime/scope.js";
import { FakeClock, FakeElement } from "./fakes.js";

const at = (second) => `2026-01-01T00:00:${String(second).padStart(2, "0")}.000000+00:00`;
const frame = (data, second = 0, type = "scan_progress") => ({ type, timestamp: at(second), data });

function makeScope(attributes, ...children) {
  return new Scope(new FakeElement({ "data-live-on": "scan_progress scan_complete", ...attributes }, children), new FakeClock());
}

test("values are formatted: whole numbers as they are, others with one decimal, null as nothing", () => {
  assert.deepEqual([7, 7.25, 0, "a", null, undefined, true].map(format), ["7", "7.3", "0", "a", "", "", "true"]);
});

test("texts follow the fields, on the scope itself and inside it", () => {
  const child = new FakeElement({ "data-live-text": "current" });
  const scope = makeScope({ "data-live-text": "percent" }, new FakeElement({}, [child]));

  scope.show(frame({ percent: 12.55, current: 3 }));

  assert.deepEqual([scope.element.textContent, child.textContent], ["12.6", "3"]);
});

test("a field that a message lacks is left alone", () => {
  const child = new FakeElement({ "data-live-text": "folder" });
  child.textContent = "Mushishi";

  makeScope({}, child).show(frame({ percent: 1 }));

  assert.equal(child.textContent, "Mushishi");
});

test("markup in a message stays text", () => {
  const child = new FakeElement({ "data-live-text": "folder" });

  makeScope({}, child).show(frame({ folder: "<img src=x onerror=alert(1)>" }));

  assert.equal(child.textContent, "<img src=x onerror=alert(1)>");
  assert.equal(child.innerHTML, undefined);
});

test("a bar gets value, max and what a screen reader says; null makes it indeterminate", () => {
  const bar = new FakeElement({ "data-live-value": "percent", "data-live-max": "total", "aria-valuenow": 0, "aria-valuetext": "" });
  const scope = makeScope({}, bar);

  scope.show(frame({ percent: 40.5, total: 200 }));
  assert.deepEqual([bar.value, bar.max, bar.getAttribute("aria-valuenow"), bar.getAttribute("aria-valuetext")], [40.5, 200, "40.5", "40.5 %"]);
  scope.show(frame({ percent: null }));
  assert.equal(bar.value, undefined);
});

test("other types and other entities are not shown", () => {
  const child = new FakeElement({ "data-live-text": "percent" });
  const scope = makeScope({ "data-live-match": "scan_id=12 root=Main" }, child);

  scope.show(frame({ percent: 1, scan_id: 13, root: "Main" }));
  scope.show(frame({ percent: 2, scan_id: 12 }));
  scope.show(frame({ percent: 3, scan_id: 12, root: "Main" }, 0, "download_progress"));
  assert.equal(child.textContent, "");
  scope.show(frame({ percent: 4, scan_id: 12, root: "Main" }));
  assert.equal(child.textContent, "4");
});

test("what comes is shown whatever its clock says: rooms see to the order, and publishers' clocks differ", () => {
  const child = new FakeElement({ "data-live-text": "percent" });
  const scope = makeScope({}, child);

  scope.show(frame({ percent: 50 }, 9));
  scope.show(frame({ percent: 60 }, 4));

  assert.equal(child.textContent, "60");
});

test("a scope inside a scope is its own", () => {
  const child = new FakeElement({ "data-live-text": "percent" });
  const scope = makeScope({}, new FakeElement({ "data-live-on": "download_progress" }, [child]));

  scope.show(frame({ percent: 5 }));

  assert.equal(child.textContent, "");
});

test("announcements come every five seconds at most, and the last one always", () => {
  const child = new FakeElement({ "data-live-announce": "{percent} % of {root}" });
  const scope = makeScope({}, child);

  for (const percent of [1, 2, 3]) scope.show(frame({ percent, root: "Main" }));
  assert.equal(child.textContent, "1 % of Main");
  scope.clock.pass(5_000);
  assert.equal(child.textContent, "3 % of Main");
});
