import assert from "node:assert/strict";
import { test } from "node:test";

import { showProgress } from "../../aniworld_site/static/aniworld_site/pages/progress.js";

/** A page whose rows are found by their selectors. */
function makePage(rows) {
  return { querySelector: (selector) => rows[selector] ?? null };
}

function makeRow() {
  const fields = { "[data-speed]": { textContent: "" }, "[data-eta]": { textContent: "" } };
  return { ...makePage(fields), fields };
}

test("a row shows how fast its download comes and how long it takes", () => {
  const [row, other] = [makeRow(), makeRow()];
  const page = makePage({ '[data-download="7"]': row, '[data-download="8"]': other });

  showProgress(page, { download_id: 7, speed_mbps: 42.5, eta_seconds: 61 });

  assert.equal(row.fields["[data-speed]"].textContent, "5.1 MiB/s");
  assert.equal(row.fields["[data-eta]"].textContent, "1 min 1 s left");
  assert.equal(other.fields["[data-speed]"].textContent, "");
});

test("time that nobody knows is taken away again", () => {
  const row = makeRow();
  const page = makePage({ '[data-download="7"]': row });

  showProgress(page, { download_id: 7, speed_mbps: 1, eta_seconds: 5 });
  showProgress(page, { download_id: 7, speed_mbps: 0, eta_seconds: null });

  assert.equal(row.fields["[data-speed]"].textContent, "");
  assert.equal(row.fields["[data-eta]"].textContent, "");
});

test("what is not on the page, or shows no speed, is passed over", () => {
  const page = makePage({ '[data-download="8"]': makePage({}) });

  showProgress(page, { download_id: 7, speed_mbps: 1, eta_seconds: 5 });
  showProgress(page, { download_id: 8, speed_mbps: 1, eta_seconds: 5 });
});
