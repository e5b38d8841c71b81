/** Keeps what a person is doing when a part of the page is renewed: half-filled fields, ticks, unfolded details. */

/**
 * Tell whether a field holds something that its page did not.
 * @param {Node} node
 */
export function isTouched(node) {
  if (node instanceof HTMLInputElement) {
    return node.type === "checkbox" || node.type === "radio" ? node.checked !== node.defaultChecked : node.type !== "hidden" && node.value !== node.defaultValue;
  }
  if (node instanceof HTMLSelectElement) return [...node.options].some((option) => option.selected !== option.defaultSelected);
  return node instanceof HTMLTextAreaElement && node.value !== node.defaultValue;
}

/**
 * Tell what a script gave an element and the server does not know: a handle that is hidden again for a moment loses the focus.
 * @param {string} name of an attribute
 * @param {Element} element
 */
function isGivenByScript(name, element) {
  return (name === "hidden" && element.matches("[data-grip], .tick-all")) || (name === "draggable" && element.matches("[data-download]"));
}

export const callbacks = {
  /** @param {Node} before */
  beforeNodeMorphed: (before) => !isTouched(before),
  /**
   * @param {string} name
   * @param {Element} element
   */
  beforeAttributeUpdated: (name, element) => !(name === "open" && element instanceof HTMLDetailsElement) && !isGivenByScript(name, element),
};
