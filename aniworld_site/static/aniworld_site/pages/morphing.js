/** Keeps what a person is doing when a part of the page is renewed: half-filled fields, ticks, unfolded details. */

import { isTouched } from "./fields.js";

/**
 * Tell what a script gave an element and the server does not know: a handle that is hidden again for a moment loses the focus.
 * @param {string} name of an attribute
 * @param {Element} element
 */
function isGivenByScript(name, element) {
  return (name === "hidden" && element.matches("[data-grip], .tick-all")) || (name === "draggable" && element.matches("[data-download]")) || name === "data-ticked" || name === "tabindex";
}

export const callbacks = {
  /** @param {Node} before */
  // How many are ticked the server does not know either.
  beforeNodeMorphed: (before) => !isTouched(before) && !(before instanceof HTMLElement && before.matches("[data-ticked-count]")),
  /**
   * @param {string} name
   * @param {Element} element
   */
  beforeAttributeUpdated: (name, element) => !(name === "open" && element instanceof HTMLDetailsElement) && !isGivenByScript(name, element),
};

/**
 * Have an answer morphed also when what asked for it went with a renewal: there htmx looks for how, and would put the part into itself.
 * @param {{requestConfig: {elt: Element, verb: string}, swapOverride?: string}} detail of an `htmx:beforeSwap`
 */
export function morphForGone(detail) {
  let { elt } = detail.requestConfig;
  if (detail.requestConfig.verb !== "post" || elt.isConnected) return;
  while (elt.parentElement) elt = elt.parentElement;
  elt.setAttribute("hx-ext", "morph");
  detail.swapOverride = "morph:outerHTML";
}
