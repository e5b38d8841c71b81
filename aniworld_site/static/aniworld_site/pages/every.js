/** What every page does: colours, shortcuts, careful renewal, and a word when the server does not answer. */
import { putBack } from "./fields.js";
import { Focus } from "./focus.js";
import { Keyboard } from "./keyboard.js";
import { callbacks, morphForGone } from "./morphing.js";
import { Presses } from "./presses.js";
import { ThemeToggle } from "./theme.js";
import { Ticking } from "./ticking.js";

const { Idiomorph } = /** @type {any} */ (window);
if (Idiomorph) Object.assign(Idiomorph.defaults.callbacks, callbacks);

new Keyboard(document);
new Ticking(document);
new Presses(document, window);
for (const button of document.querySelectorAll("[data-theme-toggle]")) new ThemeToggle(/** @type {HTMLButtonElement} */ (button));

/** @param {string} text */
function complain(text) {
  const message = document.createElement("p");
  message.className = "message message-error";
  message.textContent = text;
  document.querySelector("#messages")?.replaceChildren(message);
}

// The request itself is listened to: what asked for it may be gone by then, and nothing that it tells is heard.
document.addEventListener("htmx:beforeSend", (event) => {
  const { xhr, requestConfig } = /** @type {CustomEvent} */ (event).detail;
  xhr.addEventListener("load", () => {
    if (xhr.status < 400) return;
    complain(xhr.status === 403 ? "This was refused: your account may not do it, or the page is too old. Reload it and try again." : `The site could not do this (${xhr.status}). Reload the page and try again.`);
  });
  xhr.addEventListener("error", () => {
    if (requestConfig.verb === "post") complain("The site does not answer. Look whether it was done when it is back, and try again if not.");
    // A renewal that nobody asked for fails silently: the live mark says that the connection is gone.
    else if (requestConfig.elt instanceof HTMLFormElement) complain("The site does not answer. Try again when it is back.");
  });
});

// A form that was sent has done its work: what was ticked or typed in it must not outlive the renewal.
document.addEventListener("htmx:afterRequest", (event) => {
  const { elt, successful, requestConfig, xhr } = /** @type {CustomEvent} */ (event).detail;
  const form = elt instanceof HTMLFormElement ? elt : elt.form;
  // What was refused is still to be done: a wrong title does not cost a hundred ticks.
  const isDone = successful && !xhr.responseText.includes('class="message message-error"');
  if (isDone && requestConfig.verb === "post" && form instanceof HTMLFormElement) putBack(form, requestConfig.formData);
});

document.addEventListener("htmx:beforeSwap", (event) => morphForGone(/** @type {CustomEvent} */ (event).detail));
// A renewal of what is shown no more, of an older search, is not shown in place of it.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { detail } = /** @type {CustomEvent} */ (event);
  const { elt, path, triggeringEvent } = detail.requestConfig;
  if (triggeringEvent?.type !== "live:refresh" || elt.getAttribute("hx-get") === path) return;
  detail.shouldSwap = false;
  elt.dispatchEvent(new CustomEvent("live:refresh"));
});

/** Say how many boxes are ticked beside the buttons that act on them. */
function countTicked() {
  for (const label of document.querySelectorAll("[data-ticked-count]")) {
    const { tickedCount: name = "", tickedNoun: noun = "file" } = /** @type {HTMLElement} */ (label).dataset;
    const count = document.querySelectorAll(`input[name="${CSS.escape(name)}"]:checked`).length;
    label.closest("form, [data-ticked]")?.setAttribute("data-ticked", String(count));
    label.textContent = count === 1 ? `1 ${noun} ticked` : `${count} ${noun}s ticked`;
  }
}
document.addEventListener("change", countTicked);
document.addEventListener("htmx:afterSettle", countTicked);
countTicked();
// After that: without a tick the buttons are gone that had the focus.
new Focus(document);

// What was left empty says nothing in an address.
document.addEventListener("formdata", (event) => {
  if (/** @type {HTMLFormElement} */ (event.target).method !== "get") return;
  const fields = event.formData;
  for (const name of new Set(fields.keys())) {
    if (fields.getAll(name).every((value) => value === "")) fields.delete(name);
  }
});

// How many were found is read out to who searched, and not whenever a scan adds one.
document.addEventListener("htmx:afterSettle", (event) => {
  const { requestConfig } = /** @type {CustomEvent} */ (event).detail;
  const found = document.querySelector("[data-found]");
  if (found && requestConfig?.elt instanceof HTMLFormElement) found.textContent = document.querySelector(".count")?.firstChild?.textContent ?? "";
});

// Only one thing unfolds over the page at a time; a click or a step elsewhere folds it up.
for (const type of ["click", "focusin"]) {
  document.addEventListener(type, (event) => {
    for (const menu of document.querySelectorAll("details[data-menu][open]")) {
      if (!menu.contains(/** @type {Node} */ (event.target))) menu.removeAttribute("open");
    }
  });
}
document.addEventListener("keydown", (event) => {
  const menu = document.querySelector("details[data-menu][open]");
  if (event.key !== "Escape" || !menu) return;
  menu.removeAttribute("open");
  menu.querySelector("summary")?.focus();
});
