/** What a person typed, chose or ticked in a field, as opposed to what its page said. */

/**
 * Tell whether a field holds something that its page did not.
 * @param {Node} node
 */
export function isTouched(node) {
  if (node instanceof HTMLInputElement) {
    return isBox(node) ? node.checked !== node.defaultChecked : node.type !== "hidden" && node.value !== node.defaultValue;
  }
  if (node instanceof HTMLSelectElement) return [...node.options].some((option) => option.selected !== option.defaultSelected);
  return node instanceof HTMLTextAreaElement && node.value !== node.defaultValue;
}

/**
 * Put back what was sent. What was ticked or typed since then is not: nobody has it yet.
 * @param {HTMLFormElement} form
 * @param {FormData} sent
 */
export function putBack(form, sent) {
  for (const field of form.elements) {
    if (isTouched(field) && isAsSent(field, sent)) reset(field);
  }
}

/** @param {Element} field @param {FormData} sent */
function isAsSent(field, sent) {
  const { name, value } = /** @type {HTMLInputElement} */ (field);
  const values = sent.getAll(name);
  // A box that was unticked was not sent.
  if (isBox(field)) return values.includes(value) === field.checked;
  // Of a list that takes several each counts.
  if (field instanceof HTMLSelectElement) return [...field.options].every((option) => values.includes(option.value) === option.selected);
  return values.includes(value);
}

/** @param {Element} field */
function reset(field) {
  if (field instanceof HTMLSelectElement) {
    for (const option of field.options) option.selected = option.defaultSelected;
  } else if (isBox(field)) {
    field.checked = field.defaultChecked;
  } else {
    const typed = /** @type {HTMLInputElement} */ (field);
    typed.value = typed.defaultValue;
  }
}

/** @param {Node} node @returns {node is HTMLInputElement} */
function isBox(node) {
  return node instanceof HTMLInputElement && (node.type === "checkbox" || node.type === "radio");
}
