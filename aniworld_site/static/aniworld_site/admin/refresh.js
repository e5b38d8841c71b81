// Reads parts of an admin page again when the realtime client says that they are out of date ("live:refresh").

const GATHER_MS = 150;

/** Replaces the content of elements with an id by what a fresh copy of the page holds under the same id. */
class PartRefresher {
  /** @type {Set<Element>} */ #waiting = new Set();
  /** @type {number | undefined} */ #timer;
  #isLoading = false;

  /** @param {Document} page */
  constructor(page) {
    this.page = page;
  }

  /** @param {Iterable<Element>} parts */
  watch(parts) {
    for (const part of parts) {
      part.addEventListener("live:refresh", () => this.#ask(part));
    }
  }

  /** Parts that ask at about the same time share one request. @param {Element} part */
  #ask(part) {
    this.#waiting.add(part);
    this.#schedule();
  }

  #schedule() {
    if (!this.#isLoading && this.#waiting.size > 0) {
      this.#timer ??= setTimeout(() => this.#load(), GATHER_MS);
    }
  }

  async #load() {
    const parts = [...this.#waiting];
    this.#waiting.clear();
    this.#timer = undefined;
    this.#isLoading = true;
    try {
      const response = await fetch(this.page.location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
      if (response.ok && !response.redirected) {
        this.#replace(parts, new DOMParser().parseFromString(await response.text(), "text/html"));
      }
    } catch {
      // Without the network nothing is shown that would be wrong later: the next message asks again.
    } finally {
      this.#isLoading = false;
      this.#schedule();
    }
  }

  /** @param {Element[]} parts @param {Document} fresh */
  #replace(parts, fresh) {
    for (const part of parts) {
      const current = fresh.getElementById(part.id);
      // A part that somebody is working in stays as it is.
      if (current && part.isConnected && !part.contains(this.page.activeElement)) {
        part.replaceChildren(...current.childNodes);
      }
    }
  }
}

new PartRefresher(document).watch(document.querySelectorAll("[data-live-refresh][id]"));
