// Small helpers to build pages without markup in strings: text is text, never HTML.

/** An element: attributes (on* are listeners, false and null leave out), then children (strings become text). */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'value' || name === 'checked') element[name] = value;
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ''));
  return element;
}

export const facts = (id) => JSON.parse(document.getElementById(id).textContent);

/** A datalist's options. */
export const options = (id, values) => h('datalist', { id }, values.map((value) => h('option', { value })));

/** The strings of a list that may be anything: people write YAML by hand. */
export const strings = (value) => (Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []);
