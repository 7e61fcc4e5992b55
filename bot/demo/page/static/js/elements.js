// The elements of a message one can press or choose from.

import { busyWhile, el } from "./dom.js";
import { plain, plainText } from "./mrkdwn.js";

/** Fires after the element's confirm dialog, if it has one; busy until answered. */
async function fire(context, node, block, element, answer) {
  if (node.classList.contains("busy")) return;
  if (element.confirm && !(await context.confirm(element.confirm, node))) return;
  const click = { block_id: block.block_id ?? null, action_id: element.action_id ?? null };
  await busyWhile(node, () => context.fire({ ...click, ...answer }));
}

export function button(element, block, context) {
  const style = { primary: " primary", danger: " danger" }[element.style] ?? "";
  const node = el(
    "button",
    {
      type: "button",
      class: `button${style}`,
      "data-action-id": element.action_id,
      "aria-label": element.accessibility_label,
      title: element.accessibility_label,
    },
    el("span", { class: "label" }, ...plainText(plain(element.text.text))),
  );
  node.addEventListener("click", () => {
    if (/^https?:\/\//i.test(element.url ?? "")) window.open(element.url, "_blank", "noopener");
    fire(context, node, block, element, { value: element.value ?? null });
  });
  return node;
}

export function select(element, block, context) {
  const node = el("select", {
    class: "select",
    "data-action-id": element.action_id,
    "aria-label": element.placeholder?.text ?? "Choose",
  });
  fillSelect(node, element);
  node.addEventListener("change", async () => {
    const chosen = node.value;
    await fire(context, node, block, element, { selected: chosen });
    if (element.initial_option === undefined) node.value = "";
  });
  return node;
}

export function fillSelect(node, element) {
  const initial = element.initial_option?.value ?? "";
  if (initial === "") node.append(el("option", { value: "" }, element.placeholder?.text ?? "Choose…"));
  const option = (item) => {
    const made = el("option", { value: item.value }, plain(item.text.text));
    made.selected = item.value === initial;
    return made;
  };
  for (const item of element.options ?? []) node.append(option(item));
  for (const group of element.option_groups ?? []) {
    node.append(el("optgroup", { label: plain(group.label.text) }, ...group.options.map(option)));
  }
}

export function overflow(element, block, context) {
  const node = el(
    "button",
    {
      type: "button",
      class: "icon-button overflow",
      "data-action-id": element.action_id,
      "aria-label": "More actions",
      "aria-haspopup": "menu",
      "aria-expanded": "false",
    },
    "⋯",
  );
  node.addEventListener("click", () =>
    openMenu(node, element.options, context, (selected) =>
      fire(context, node, block, element, { selected }),
    ),
  );
  return node;
}

/** The menu lives in the layer above the messages, so an edited card does not close it. */
function openMenu(anchor, options, context, choose) {
  const close = () => {
    menu.remove();
    anchor.setAttribute("aria-expanded", "false");
    document.removeEventListener("pointerdown", outside, true);
  };
  const outside = (event) => {
    if (!menu.contains(event.target)) close();
  };
  const item = (option) =>
    el(
      "button",
      {
        type: "button",
        role: "menuitem",
        "data-value": option.value,
        onclick: () => {
          close();
          if (anchor.isConnected) anchor.focus();
          choose(option.value);
        },
      },
      ...plainText(plain(option.text.text)),
    );
  const menu = el("div", { class: "menu", role: "menu" }, ...options.map(item));
  menu.addEventListener("keydown", (event) => moveInMenu(menu, anchor, event, close));
  context.place(menu, anchor);
  anchor.setAttribute("aria-expanded", "true");
  document.addEventListener("pointerdown", outside, true);
  menu.firstElementChild.focus();
}

function moveInMenu(menu, anchor, event, close) {
  const items = [...menu.children];
  const at = items.indexOf(document.activeElement);
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step !== undefined) items[(at + step + items.length) % items.length].focus();
  else if (event.key === "Escape" || event.key === "Tab") {
    close();
    if (anchor.isConnected) anchor.focus();
  } else return;
  event.preventDefault();
  event.stopPropagation();
}

const MAKERS = { button, static_select: select, overflow };

/** The node for an element of a message, or a note saying that it is not drawn here. */
export function element(described, block, context) {
  const make = MAKERS[described.type];
  if (make !== undefined) return make(described, block, context);
  return el("span", { class: "undrawn" }, `(${described.type} is not drawn here)`);
}
