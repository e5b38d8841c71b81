/** Shortcuts: / searches, g and a letter goes to a page, j and k walk along a list, ? explains them. */
const PATIENCE_MS = 1200;

export class Keyboard {
  /** @param {Document} document */
  constructor(document) {
    this.document = document;
    this.goingSince = -Infinity;
    /** @type {HTMLDialogElement | null} */
    this.help = document.querySelector("#keyboard-help");
    document.addEventListener("keydown", (event) => this.onKey(event));
    for (const button of document.querySelectorAll("[data-help-open]")) {
      /** @type {HTMLElement} */ (button).hidden = false;
      button.addEventListener("click", () => this.help?.showModal());
    }
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || this.help?.open) return;
    if (target.closest?.("input:not([type=checkbox]), select, textarea, [contenteditable]")) return;
    const isGoing = event.timeStamp - this.goingSince < PATIENCE_MS;
    this.goingSince = !isGoing && event.key === "g" ? event.timeStamp : -Infinity;
    if (isGoing ? this.go(event.key) : this.press(event.key)) event.preventDefault();
  }

  /** @param {string} key */
  go(key) {
    const link = this.document.querySelector(`a[data-go="${CSS.escape(key)}"]`);
    if (link instanceof HTMLAnchorElement) link.click();
    return link !== null;
  }

  /** @param {string} key */
  press(key) {
    if (key === "/") return this.search();
    if (key === "j" || key === "k") return this.walk(key === "j" ? 1 : -1);
    if (key !== "?") return false;
    this.help?.showModal();
    return true;
  }

  search() {
    const fields = [...this.document.querySelectorAll("[data-search]")];
    const field = fields.find((each) => each instanceof HTMLElement && each.offsetParent !== null);
    if (!(field instanceof HTMLInputElement)) return this.go("s");
    field.focus();
    field.select();
    return true;
  }

  /** @param {1 | -1} step */
  walk(step) {
    const links = /** @type {HTMLElement[]} */ ([...this.document.querySelectorAll("[data-walk] > * > a")]);
    if (!links.length) return false;
    const at = links.indexOf(/** @type {HTMLElement} */ (this.document.activeElement));
    links[at < 0 ? 0 : Math.min(links.length - 1, Math.max(0, at + step))].focus();
    return true;
  }
}
