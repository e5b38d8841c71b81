import assert from "node:assert/strict";
import { test } from "node:test";

/** As browsers have them, as far as `fields.js` looks. */
class Input {
  constructor(type, name, value, { is = false, was = "" } = {}) {
    Object.assign(this, { type, name, value, checked: is, defaultChecked: false, defaultValue: was });
  }
}
class Select {
  constructor(name, chosen, ...values) {
    this.name = name;
    this.options = values.map((value, at) => ({ value, selected: value === chosen, defaultSelected: at === 0 }));
  }

  get value() {
    return this.options.find((option) => option.selected).value;
  }
}
class Area {
  constructor(name, value) {
    Object.assign(this, { name, value, defaultValue: "" });
  }
}
Object.assign(globalThis, { HTMLInputElement: Input, HTMLSelectElement: Select, HTMLTextAreaElement: Area });
const { isTouched, putBack } = await import("../../aniworld_site/static/aniworld_site/pages/fields.js");

function send(...pairs) {
  const sent = new FormData();
  for (const [name, value] of pairs) sent.append(name, value);
  return sent;
}

test("what was sent is put back, and what was chosen since is not", () => {
  const [first, second] = ["1", "2"].map((value) => new Input("checkbox", "files", value, { is: true }));
  const [title, year] = [new Input("text", "title", "Dark"), new Input("text", "year", "2017")];
  const [season, part] = [new Select("season", "2", "1", "2"), new Select("part", "b", "a", "b")];
  const sent = send(["files", "1"], ["title", "Dark"], ["year", ""], ["season", "2"], ["part", "a"]);

  putBack({ elements: [first, second, title, year, season, part] }, sent);

  assert.deepEqual([first.checked, second.checked], [false, true]);
  assert.deepEqual([title.value, year.value], ["", "2017"]);
  assert.deepEqual([season.value, part.value], ["1", "b"]);
});

test("a box that was unticked is ticked again only where it was sent so", () => {
  const boxes = ["1", "2"].map((value) => Object.assign(new Input("checkbox", "on", value), { defaultChecked: true }));

  putBack({ elements: boxes }, send(["on", "2"]));

  assert.deepEqual(boxes.map((box) => box.checked), [true, false]);
});

test("lines that were typed are put back", () => {
  const area = new Area("notes", "one\ntwo");
  putBack({ elements: [area] }, send(["notes", "one\ntwo"]));
  assert.equal(area.value, "");
});

test("a hidden field is never a person's", () => {
  assert.equal(isTouched(new Input("hidden", "next", "/queue/")), false);
  assert.equal(isTouched(new Input("text", "q", "dark")), true);
});
