/** The queue: speeds as people write them, a line of the last two minutes, and rows that are dragged or moved by keys. */
import { livePage } from "../../realtime/index.js";
import { showProgress } from "./progress.js";
import { showSpeed, SpeedLine } from "./speeds.js";

class QueuePage {
  /** @param {Document} document */
  constructor(document) {
    this.document = document;
    this.line = new SpeedLine();
    /** @type {HTMLElement | null} */
    this.dragged = null;
    /** What was to be renewed meanwhile. @type {Set<Element>} */
    this.missed = new Set();
    for (const name of ["downloads"]) {
      livePage?.rooms.get(name)?.addEventListener("frame", (/** @type {any} */ event) => this.hear(event.detail.frame));
    }
    setInterval(() => this.tick(), 1_000);
    this.showGrips();
    document.addEventListener("htmx:afterSettle", () => this.showGrips());
    for (const type of ["dragstart", "dragover", "drop", "dragend"]) {
      document.addEventListener(type, (event) => this.drag(/** @type {DragEvent} */ (event)));
    }
    document.addEventListener("keydown", (event) => this.onKey(event));
    document.addEventListener("live:refresh", (event) => this.keepStill(event), { capture: true });
    // No pointer moves while something is dragged. When its row went with a renewal, nobody tells that the drag has ended.
    document.addEventListener("pointermove", () => this.dragged && this.letGo());
  }

  /** @param {{type: string, data: any}} frame */
  hear(frame) {
    if (this.line.hear(frame, Date.now())) showProgress(this.document, frame.data);
  }

  tick() {
    const sum = this.line.step(Date.now());
    const total = this.document.querySelector("[data-total-speed]");
    if (total) total.textContent = showSpeed(sum) || "–";
    this.document.querySelector("[data-sparkline] polyline")?.setAttribute("points", this.line.draw(120, 32));
  }

  showGrips() {
    for (const grip of this.document.querySelectorAll("[data-grip]")) {
      /** @type {HTMLElement} */ (grip).hidden = false;
      const row = grip.closest("[data-download]");
      if (row) /** @type {HTMLElement} */ (row).draggable = true;
    }
  }

  /** @param {DragEvent} event */
  drag(event) {
    const row = /** @type {HTMLElement | null} */ (event.target instanceof Element ? event.target.closest("[data-download]") : null);
    if (event.type === "dragstart" && row) {
      this.dragged = row;
      row.classList.add("download-dragged");
      event.dataTransfer?.setData("text/plain", row.dataset.download ?? "");
    } else if (event.type === "dragover" && this.dragged) {
      this.mark(row);
      if (row) event.preventDefault();
    } else if (event.type === "drop" && this.dragged && row) {
      event.preventDefault();
      const [moved, target] = [this.dragged.dataset.download, row.dataset.download];
      this.letGo();
      if (moved !== target) this.send({ downloads: moved, before: target });
    } else if (event.type === "dragend") {
      this.letGo();
    }
  }

  /** @param {HTMLElement | null} row */
  mark(row) {
    for (const marked of this.document.querySelectorAll(".download-before")) marked.classList.remove("download-before");
    row?.classList.add("download-before");
  }

  letGo() {
    this.dragged?.classList.remove("download-dragged");
    this.dragged = null;
    this.mark(null);
    for (const part of this.missed) part.dispatchEvent(new CustomEvent("live:refresh"));
    this.missed.clear();
  }

  /**
   * What is in a person's hand is not renewed under it, but as soon as it is let go.
   * @param {Event} event
   */
  keepStill(event) {
    if (!this.dragged) return;
    event.stopImmediatePropagation();
    this.missed.add(/** @type {Element} */ (event.target));
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const keys = { ArrowUp: "up", ArrowDown: "down", Home: "top", End: "bottom" };
    const row = event.target instanceof Element ? event.target.closest("[data-download]") : null;
    const where = keys[/** @type {keyof typeof keys} */ (event.key)];
    if (!row || !where || !event.altKey) return;
    event.preventDefault();
    const button = row.querySelector(`button[value="${where}:${/** @type {HTMLElement} */ (row).dataset.download}"]`);
    /** @type {HTMLElement | null} */ (button)?.click();
  }

  /** @param {Record<string, string | undefined>} values */
  send(values) {
    const form = /** @type {HTMLFormElement | null} */ (this.document.querySelector("#queue-form"));
    if (!form) return;
    const own = Object.fromEntries(["csrfmiddlewaretoken", "next"].map((name) => [name, new FormData(form).get(name)]));
    const { htmx } = /** @type {any} */ (window);
    htmx.ajax("POST", form.dataset.moveUrl, { values: { ...own, ...values }, target: "#queue-rows", swap: "morph:outerHTML" });
  }
}

if (typeof document !== "undefined" && document.querySelector("[data-queue]")) new QueuePage(document);
