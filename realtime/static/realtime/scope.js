import { ANNOUNCE_EVERY_MS } from "./protocol.js";
import { Throttle } from "./throttle.js";

/**
 * @param {Element} element
 * @param {string} attribute a list of words in the markup
 * @returns {string[]}
 */
export function words(element, attribute) {
  return (element.getAttribute(attribute) ?? "").split(/\s+/).filter(Boolean);
}

/**
 * @param {Element} element with `data-live-match="scan_id=12 root_id=3"` or without
 * @param {Record<string, any>} data
 * @returns {boolean} whether all named fields have these values
 */
export function matches(element, data) {
  return words(element, "data-live-match").every((pair) => {
    const [field, ...value] = pair.split("=");
    return String(data[field]) === value.join("=");
  });
}

/**
 * @param {any} value
 * @returns {string} whole numbers as they are, others with one decimal, null as nothing
 */
export function format(value) {
  if (value === null || value === undefined) return "";
  return typeof value === "number" && !Number.isInteger(value) ? value.toFixed(1) : String(value);
}

const BOUND = "[data-live-text], [data-live-value], [data-live-max], [data-live-announce]";

/** An element with `data-live-on`, and what inside it shows a message's fields. */
export class Scope {
  /**
   * @param {Element} element
   * @param {import("./protocol.js").Clock} clock
   */
  constructor(element, clock) {
    this.element = element;
    this.clock = clock;
    /** @type {WeakMap<Element, Throttle>} */
    this.announcers = new WeakMap();
  }

  /** @param {import("./protocol.js").Frame} frame */
  show(frame) {
    if (!words(this.element, "data-live-on").includes(frame.type) || !matches(this.element, frame.data)) return;
    for (const element of [this.element, ...this.element.querySelectorAll(BOUND)]) {
      if (element.closest("[data-live-on]") === this.element) this.#bind(element, frame.data);
    }
  }

  #bind(element, data) {
    const { liveText, liveValue, liveMax, liveAnnounce } = element.dataset;
    if (liveText in data) element.textContent = format(data[liveText]);
    if (liveMax in data && data[liveMax] !== null) element.max = data[liveMax];
    if (liveValue in data) this.#bindValue(element, liveValue, data[liveValue]);
    if (liveAnnounce) this.#announce(element, liveAnnounce.replace(/\{(\w+)\}/g, (_, field) => format(data[field])));
  }

  #bindValue(element, field, value) {
    if (value === null) {
      element.removeAttribute("value");
      return;
    }
    element.value = value;
    if (element.hasAttribute("aria-valuenow")) element.setAttribute("aria-valuenow", format(value));
    if (element.hasAttribute("aria-valuetext")) {
      element.setAttribute("aria-valuetext", field.endsWith("percent") ? `${format(value)} %` : format(value));
    }
  }

  /** A screen reader that is told of every step never comes to an end. */
  #announce(element, text) {
    if (!this.announcers.has(element)) {
      this.announcers.set(element, new Throttle(this.clock, ANNOUNCE_EVERY_MS, (latest) => (element.textContent = latest)));
    }
    this.announcers.get(element).call(text);
  }
}
