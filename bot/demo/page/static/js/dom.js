// Builds nodes; text always enters as text, so nothing a message says can become markup.

const SVG = "http://www.w3.org/2000/svg";

export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) put(node, name, value);
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

function put(node, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
  else if (name === "value") node.value = value;
  else node.setAttribute(name, value === true ? "" : String(value));
}

export function svg(tag, attributes, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

export const byId = (id) => document.getElementById(id);

export const spinner = () => el("span", { class: "spinner", "aria-hidden": "true" });

/** Marks `node` as busy until `work` is settled. */
export async function busyWhile(node, work) {
  node.classList.add("busy");
  node.setAttribute("aria-busy", "true");
  const wheel = spinner();
  node.append(wheel);
  try {
    return await work();
  } finally {
    wheel.remove();
    node.classList.remove("busy");
    node.removeAttribute("aria-busy");
  }
}

export function focusables(root) {
  const all = "button, select, input, textarea, a[href], [tabindex='0']";
  return [...root.querySelectorAll(all)].filter(
    (node) => !node.disabled && node.getClientRects().length > 0,
  );
}

/** Keeps Tab inside `root`; to be used as its keydown listener. */
export function trapTab(root, event) {
  if (event.key !== "Tab") return;
  const stops = focusables(root);
  if (stops.length === 0) return;
  const first = stops[0];
  const last = stops[stops.length - 1];
  const here = document.activeElement;
  const leaving = event.shiftKey ? here === first : here === last;
  if (!leaving && root.contains(here)) return;
  event.preventDefault();
  (event.shiftKey ? last : first).focus();
}
