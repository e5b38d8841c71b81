/** Keeps the focus near where it was, when a renewal takes away what had it: a keyboard would start at the top of the page again. */

const ROW = "li[id], tr[id], article[id]";

export class Focus {
  /** @param {Document} document */
  constructor(document) {
    this.document = document;
    /** The ids of what takes it over, the nearest first. @type {string[]} */
    this.near = [];
    document.addEventListener("htmx:beforeSwap", () => this.note());
    document.addEventListener("htmx:afterSettle", () => this.restore());
  }

  note() {
    const { activeElement, body } = this.document;
    if (!activeElement || activeElement === body) return;
    const row = activeElement.closest(ROW);
    const others = [row, row?.nextElementSibling, row?.previousElementSibling, activeElement.closest("section[id]")];
    this.near = others.flatMap((each) => each?.id || []);
  }

  restore() {
    const { activeElement, body } = this.document;
    if (!activeElement || activeElement === body || !activeElement.checkVisibility()) {
      const nearest = this.near.map((id) => this.document.getElementById(id)).find((each) => each?.checkVisibility());
      if (nearest) {
        // The row itself and none of its buttons: who presses Enter once more must not do something to it.
        nearest.tabIndex = -1;
        nearest.focus({ preventScroll: true });
      }
    }
    this.near = [];
  }
}
