// Reads the admin's page of rooms and connections again while somebody looks at it.

const EVERY_MS = 3_000;

/** Replaces the report by a fresh copy of it. */
class ActivityPage {
  /** @param {Document} page */
  constructor(page) {
    this.page = page;
  }

  start() {
    this.#say("live");
    this.#schedule();
  }

  #schedule() {
    setTimeout(() => this.#read(), EVERY_MS);
  }

  async #read() {
    if (!this.page.hidden) {
      try {
        const response = await fetch(this.page.location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
        this.#say(response.ok && !response.redirected && this.#replace(await response.text()) ? "live" : "lost");
      } catch {
        this.#say("lost");
      }
    }
    this.#schedule();
  }

  /** @param {string} text @returns {boolean} Whether the text holds a report. */
  #replace(text) {
    const fresh = new DOMParser().parseFromString(text, "text/html").querySelector("[data-activity]");
    if (fresh) this.page.querySelector("[data-activity]")?.replaceChildren(...fresh.childNodes);
    return fresh !== null;
  }

  /** @param {"live" | "lost"} state */
  #say(state) {
    const status = this.page.querySelector("[data-activity-status]");
    const label = status?.getAttribute(`data-label-${state}`) ?? "";
    // An unchanged text is not set again: a screen reader would read it again.
    if (status && status.textContent !== label) status.textContent = label;
  }
}

new ActivityPage(document).start();
