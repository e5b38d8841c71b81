/** Shortcuts: / searches, g and a letter goes to a page, j and k walk along a list, ? explains them. They can be switched off: who speaks to the computer presses keys without meaning to. */
const PATIENCE_MS = 1200;
const OFF = "aniworld.keys.off";

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
      button.addEventListener("click", () => this.explain(/** @type {HTMLElement} */ (button)));
    }
    const box = /** @type {HTMLInputElement | null} */ (document.querySelector("[data-keys-on]"));
    if (box) box.checked = this.isOn;
    box?.addEventListener("change", () => (this.isOn = box.checked));
  }

  get isOn() {
    try {
      return localStorage.getItem(OFF) === null;
    } catch {
      return true;
    }
  }

  set isOn(isOn) {
    try {
      if (isOn) localStorage.removeItem(OFF);
      else localStorage.setItem(OFF, "1");
    } catch {
      // Without storage the keys stay on.
    }
  }

  /** @param {HTMLElement} [button] in a menu that folds up, so the focus comes back to the menu */
  explain(button) {
    const menu = button?.closest("details");
    menu?.querySelector("summary")?.focus();
    menu?.removeAttribute("open");
    this.help?.showModal();
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || this.help?.open || !this.isOn) return;
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
    this.explain();
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
