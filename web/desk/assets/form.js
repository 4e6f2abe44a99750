// Reads and fills forms that the platform wrote, and writes times as it does.

/** Writes a time in the country's zone. @param {number | string} time */
export const moment = (time) => new Date(time).toLocaleString(document.documentElement.lang, {
  dateStyle: 'medium', timeStyle: 'short', hourCycle: 'h23', timeZone: document.getElementById('offline').dataset.zone,
});

/** @param {HTMLFormElement} form @returns {Record<string, string[]>} */
export function values(form) {
  /** @type {Record<string, string[]>} */
  const given = {};
  for (const [name, value] of new FormData(form)) {
    if (typeof value === 'string') (given[name] ??= []).push(value);
  }
  return given;
}

/** @param {HTMLFormElement} form @param {Record<string, string[]>} typed */
export function fill(form, typed) {
  for (const input of form.elements) {
    const given = typed[input.name] ?? [];
    if (input.type === 'radio' || input.type === 'checkbox') input.checked = given.includes(input.value);
    else if (input.name && !['hidden', 'file'].includes(input.type) && given.length) input.value = given[0];
  }
}

/**
 * Returns the first of the inputs that must be filled in and is not.
 * @param {HTMLFormElement} form @param {string[]} required
 */
export function missing(form, required) {
  const given = values(form);
  const name = required.find((one) => !(given[one] ?? []).some((value) => value.trim() !== ''));
  return name && form.querySelector(`[name="${CSS.escape(name)}"]`);
}
