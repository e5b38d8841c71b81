import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Presses } from "../../aniworld_site/static/aniworld_site/pages/presses.js";

let document, window, presses, sent, beacons;

beforeEach(() => {
  [document, window, sent, beacons] = [new EventTarget(), new EventTarget(), [], []];
  window.navigator = { sendBeacon: (path, values) => beacons.push([path, ...values.values()]) };
  presses = new Presses(document, window);
});

const tell = (type, detail) => document.dispatchEvent(new CustomEvent(`htmx:${type}`, { detail, cancelable: true }));

/** As htmx does it: it asks, and makes the request once it is told to. */
function press(path, value, { target = { id: "rows" }, isStep = false, verb = "post", isGone = false } = {}) {
  const issueRequest = () => {
    if (isGone) return;
    const config = { path: "of the button that was pressed last" };
    tell("configRequest", config);
    const xhr = new EventTarget();
    sent.push({ path: config.path, value: config.parameters.get("one"), end: () => xhr.dispatchEvent(new Event("loadend")) });
    tell("beforeSend", { xhr });
  };
  const elt = { hasAttribute: (name) => isStep && name === "data-step" };
  return tell("confirm", { verb, path, elt, target, etc: { values: { one: value } }, triggeringEvent: undefined, issueRequest });
}

const read = () => sent.map(({ path, value }) => `${path} ${value}`);

test("what is pressed before an answer is sent after it, each as it was meant", () => {
  press("/do/", "pause:1");
  press("/do/", "pause:2");
  press("/clear/", "");
  assert.deepEqual(read(), ["/do/ pause:1"]);

  sent[0].end();
  sent[1].end();
  sent[2].end();

  assert.deepEqual(read(), ["/do/ pause:1", "/do/ pause:2", "/clear/ "]);
});

test("what is pressed twice in impatience is sent once, and again when it was answered", () => {
  press("/do/", "pause:1");
  press("/do/", "pause:1");
  sent[0].end();
  assert.equal(sent.length, 1);

  press("/do/", "pause:1");
  assert.equal(sent.length, 2);
});

test("what was taken back in between is sent again", () => {
  for (const value of ["pause:1", "resume:1", "pause:1"]) press("/do/", value);
  for (let at = 0; at < 3; at += 1) sent[at].end();
  assert.deepEqual(read(), ["/do/ pause:1", "/do/ resume:1", "/do/ pause:1"]);
});

test("each step counts", () => {
  for (let count = 0; count < 3; count += 1) press("/do/", "up:1", { isStep: true });
  for (let at = 0; at < 3; at += 1) sent[at].end();
  assert.equal(sent.length, 3);
});

test("parts of a page do not wait for each other", () => {
  press("/do/", "pause:1");
  press("/set/", "stop", { target: { id: "head" } });
  assert.deepEqual(read(), ["/do/ pause:1", "/set/ stop"]);
});

test("one that cannot be sent any more keeps nobody waiting", () => {
  press("/do/", "pause:1");
  press("/do/", "pause:2", { isGone: true });
  press("/do/", "pause:3");
  sent[0].end();
  assert.deepEqual(read(), ["/do/ pause:1", "/do/ pause:3"]);
});

test("what waits is sent when the page is left, once", () => {
  press("/do/", "pause:1");
  press("/do/", "pause:2");
  window.dispatchEvent(new Event("pagehide"));
  sent[0].end();
  assert.deepEqual(beacons, [["/do/", "pause:2"]]);
  assert.equal(sent.length, 1);
});

test("what is only fetched is left to htmx", () => {
  assert.equal(press("/", "", { verb: "get" }), true);
  assert.equal(press("/", ""), false);
});

/** @returns {boolean} whether the browser sends it */
function submit(path, name, { at = 0, method = "post" } = {}) {
  const event = new Event("submit", { cancelable: true });
  const values = new FormData();
  values.append("name", name);
  presses.read = () => values;
  Object.defineProperties(event, { target: { value: { method, action: path } }, timeStamp: { value: at } });
  return document.dispatchEvent(event);
}

test("a form that takes the page along is sent once, but again with another content or after a while", () => {
  assert.equal(submit("/add/", "one"), true);
  assert.equal(submit("/add/", "one", { at: 5_000 }), false);
  assert.equal(submit("/add/", "two", { at: 6_000 }), true);
  assert.equal(submit("/add/", "two", { at: 40_000 }), true);
});

test("a form is sent again when the person is back on the page, and a search whenever it is asked for", () => {
  submit("/add/", "one");
  window.dispatchEvent(new Event("pageshow"));
  assert.equal(submit("/add/", "one"), true);
  for (let count = 0; count < 2; count += 1) assert.equal(submit("/search/", "one", { method: "get" }), true);
});
