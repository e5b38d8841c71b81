/** Boxes that are ticked together: all of a page by one box, and from the last one to another with Shift. */

export class Ticking {
  /** @param {Document} document */
  constructor(document) {
    this.document = document;
    /** @type {HTMLInputElement | null} */
    this.last = null;
    document.addEventListener("click", (event) => this.onClick(/** @type {MouseEvent} */ (event)));
    document.addEventListener("change", (event) => this.onChange(event));
    document.addEventListener("htmx:afterSettle", () => this.show());
    this.show();
  }

  /** What only works with a script is shown by one. */
  show() {
    for (const box of this.document.querySelectorAll("[data-tick-all]")) {
      const label = /** @type {HTMLElement | null} */ (box.closest("label"));
      if (label) label.hidden = false;
      this.showAll(/** @type {HTMLInputElement} */ (box));
    }
  }

  /** @param {Event} event */
  onChange(event) {
    const box = event.target;
    if (!(box instanceof HTMLInputElement)) return;
    if (box.dataset.tickAll) {
      this.tick(this.list(box.dataset.tickAll, box.form), box.checked);
    } else {
      for (const all of this.document.querySelectorAll(`[data-tick-all="${CSS.escape(box.name)}"]`)) {
        this.showAll(/** @type {HTMLInputElement} */ (all));
      }
    }
  }

  /** @param {MouseEvent} event */
  onClick(event) {
    const box = event.target;
    if (!(box instanceof HTMLInputElement) || box.type !== "checkbox" || !box.value || box.dataset.tickAll) return;
    if (event.shiftKey && this.last?.isConnected && this.last.name === box.name && this.last.form === box.form) {
      const boxes = this.list(box.name, box.form);
      const [from, to] = [boxes.indexOf(this.last), boxes.indexOf(box)].sort((one, other) => one - other);
      this.tick(boxes.slice(from, to + 1), box.checked);
    }
    this.last = box;
  }

  /** @param {string} name @param {HTMLFormElement | null} form @returns {HTMLInputElement[]} */
  list(name, form) {
    // Those that name their form stand outside of it.
    const boxes = this.document.querySelectorAll(`input[type="checkbox"][name="${CSS.escape(name)}"]`);
    return [...boxes].map((box) => /** @type {HTMLInputElement} */ (box)).filter((box) => box.form === form);
  }

  /** @param {HTMLInputElement[]} boxes @param {boolean} ticked */
  tick(boxes, ticked) {
    for (const box of boxes) box.checked = ticked;
    // Once for all of them: who counts them counts all.
    boxes[0]?.dispatchEvent(new Event("change", { bubbles: true }));
  }

  /** @param {HTMLInputElement} all */
  showAll(all) {
    const boxes = this.list(all.dataset.tickAll ?? "", all.form);
    const ticked = boxes.filter((box) => box.checked).length;
    all.checked = boxes.length > 0 && ticked === boxes.length;
    all.indeterminate = ticked > 0 && ticked < boxes.length;
  }
}
