/** What is pressed while an answer is on its way: each press is sent as it was meant, one after the other, and none twice. */

/** Who sends a form again after that means it: the first time may have been stopped. */
const IMPATIENT_MS = 30_000;

/**
 * What was pressed and not answered yet.
 * @typedef {object} Press
 * @property {string} path
 * @property {FormData} values as they were in that moment: what the button says may be another thing when its turn comes
 * @property {(isConfirmed: boolean) => void} issue
 * @property {boolean} isSent
 */

export class Presses {
  /**
   * @param {Document} document
   * @param {Window} window
   */
  constructor(document, window) {
    this.window = window;
    /** By the part that the answers renew, so that an older one never comes last. The first of each is under way. @type {Map<string, Press[]>} */
    this.open = new Map();
    /** That htmx makes a request of in this moment. @type {{press: Press, part: string} | null} */
    this.issued = null;
    /** What takes the page along with it. @type {{text: string, at: number} | null} */
    this.leaving = null;
    document.addEventListener("submit", (event) => this.onSubmit(/** @type {SubmitEvent} */ (event)));
    document.addEventListener("htmx:confirm", (event) => this.onPress(/** @type {CustomEvent} */ (event)));
    document.addEventListener("htmx:configRequest", (event) => this.onMake(/** @type {CustomEvent} */ (event)));
    document.addEventListener("htmx:beforeSend", (event) => this.onSend(/** @type {CustomEvent} */ (event)));
    window.addEventListener("pagehide", () => this.leave());
    // The browser may have kept the page, to come back to it.
    window.addEventListener("pageshow", () => (this.leaving = null));
  }

  /**
   * A form that htmx has nothing to do with: sent twice, it is answered that all is there already.
   * @param {SubmitEvent} event
   */
  onSubmit(event) {
    const form = /** @type {HTMLFormElement} */ (event.target);
    if (event.defaultPrevented || form.method !== "post") return;
    const button = /** @type {HTMLButtonElement | null} */ (event.submitter);
    const text = toText({ path: button?.formAction ?? form.action, values: this.read(form, button ?? form) });
    if (this.leaving?.text === text && event.timeStamp - this.leaving.at < IMPATIENT_MS) event.preventDefault();
    else this.leaving = { text, at: event.timeStamp };
  }

  /** @param {CustomEvent} event */
  onPress(event) {
    const { verb, path, elt, target, etc, triggeringEvent, issueRequest } = event.detail;
    if (verb !== "post") return;
    event.preventDefault();
    const button = triggeringEvent?.submitter ?? elt;
    const press = { path, values: etc.values ? toFormData(etc.values) : this.read(elt, button), issue: issueRequest, isSent: false };
    const presses = this.open.get(target.id) ?? [];
    const last = presses.at(-1);
    // Steps add up; anything else that is pressed once more was pressed in impatience.
    if (last && !button.hasAttribute("data-step") && toText(last) === toText(press)) return;
    this.open.set(target.id, [...presses, press]);
    if (!last) this.issue(target.id);
  }

  /** @param {HTMLElement} elt @param {HTMLElement} button @returns {FormData} */
  read(elt, button) {
    const form = /** @type {HTMLFormElement} */ (/** @type {HTMLButtonElement} */ (elt).form ?? elt);
    return new FormData(form, button === form ? null : button);
  }

  /** @param {string} part */
  issue(part) {
    const press = this.open.get(part)?.[0];
    if (!press) return;
    this.issued = { press, part };
    press.issue(true);
    this.issued = null;
    // What asked for it is gone, or its form is not valid.
    if (!press.isSent) this.end(part);
  }

  /** @param {CustomEvent} event */
  onMake({ detail }) {
    if (!this.issued) return;
    const { path, values } = this.issued.press;
    Object.assign(detail, { path, parameters: values, formData: values });
  }

  /** @param {CustomEvent} event */
  onSend({ detail }) {
    if (!this.issued) return;
    const { press, part } = this.issued;
    press.isSent = true;
    // Whatever becomes of it, and after htmx has done with it.
    detail.xhr.addEventListener("loadend", () => this.end(part));
  }

  /** @param {string} part */
  end(part) {
    const left = this.open.get(part)?.slice(1) ?? [];
    if (left.length) this.open.set(part, left);
    else this.open.delete(part);
    this.issue(part);
  }

  /** Who goes to another page does not take back what was pressed on this one. */
  leave() {
    const waiting = [...this.open.values()].flatMap(([, ...others]) => others);
    this.open.clear();
    for (const { path, values } of waiting) this.window.navigator.sendBeacon(path, values);
  }
}

/** @param {FormData | Record<string, string>} values */
function toFormData(values) {
  if (values instanceof FormData) return values;
  const data = new FormData();
  for (const [name, value] of Object.entries(values)) data.append(name, value);
  return data;
}

/** @param {Pick<Press, "path" | "values">} press */
function toText({ path, values }) {
  return JSON.stringify([path, ...values]);
}
