// Input blocks of a modal, and how their values are read and put back.

import { el } from "./dom.js";
import { fillSelect } from "./elements.js";
import { plain, plainText } from "./mrkdwn.js";
import { suggestBox } from "./suggest.js";

let made = 0;
const freshId = (stem) => `${stem}-${(made += 1)}`;

export function inputBlock(block, context) {
  const id = freshId("input");
  const described = block.element;
  const grouped = described.type === "radio_buttons" || described.type === "checkboxes";
  const notes = [`${id}-error`, ...(block.hint ? [`${id}-hint`] : [])].join(" ");
  const label = [plain(block.label.text), block.optional ? el("span", { class: "optional" }, " optional") : null];
  const control = (MAKERS[described.type] ?? unknown)(described, { id, block, context, notes });
  const node = el(
    grouped ? "fieldset" : "div",
    { class: "block input", "data-block-id": block.block_id, "data-action-id": described.action_id, "data-kind": described.type },
    grouped ? el("legend", {}, ...label) : el("label", { for: id }, ...label),
    control,
    el("p", { class: "field-error", id: `${id}-error`, role: "alert", hidden: true }),
    block.hint ? el("p", { class: "hint", id: `${id}-hint` }, ...plainText(block.hint.text)) : null,
  );
  if (block.dispatch_action) dispatches(node, block, context);
  return node;
}

const MAKERS = {
  plain_text_input: (described, { id, block, notes }) => {
    const props = {
      id,
      class: "field-box",
      placeholder: described.placeholder?.text,
      maxlength: described.max_length,
      required: !block.optional,
      "aria-describedby": notes,
      value: described.initial_value ?? "",
    };
    return described.multiline ? el("textarea", { ...props, rows: 3 }) : el("input", { ...props, type: "text" });
  },
  static_select: (described, { id, notes }) => {
    const node = el("select", { id, class: "select wide", "aria-describedby": notes });
    fillSelect(node, described);
    return node;
  },
  external_select: (described, { id, block, context, notes }) =>
    suggestBox(described, { id, notes, look: (typed) => context.suggest(block.block_id, described.action_id, typed) }),
  radio_buttons: (described, place) => choices(described, place, "radio", [described.initial_option]),
  checkboxes: (described, place) => choices(described, place, "checkbox", described.initial_options ?? []),
  datepicker: (described, place) => native(described, place, "date", described.initial_date),
  timepicker: (described, place) => native(described, place, "time", described.initial_time),
  number_input: (described, place) => native(described, place, "number", described.initial_value),
};

function native(described, { id, notes }, type, value) {
  return el("input", { id, type, class: "field-box", "aria-describedby": notes, value: value ?? "" });
}

function unknown(described, { id }) {
  return el("p", { class: "undrawn", id }, `(${described.type} is not drawn here)`);
}

function choices(described, { id, notes }, type, initial) {
  const chosen = initial.map((option) => option?.value);
  const choice = (option, index) => {
    const box = el("input", { type, name: id, value: option.value, "aria-describedby": notes, id: `${id}-${index}` });
    box.checked = chosen.includes(option.value);
    const words = [el("span", {}, ...plainText(plain(option.text.text)))];
    if (option.description) words.push(el("small", {}, ...plainText(plain(option.description.text))));
    return el("label", { class: "choice" }, box, el("span", { class: "choice-words" }, ...words));
  };
  return el("div", { class: "choices" }, ...described.options.map(choice));
}

function dispatches(node, block, context) {
  let told = valueOf(node);
  node.addEventListener("change", () => {
    const selected = valueOf(node);
    // Leaving the box repeats the event; only another value is news.
    if (selected === null || same(selected, told)) return;
    told = selected;
    context.fire({ block_id: block.block_id, action_id: block.element.action_id, selected });
  });
}

const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/** What one input holds: a text, an option's value (a whole option when it came from the
 * bot), a list of values, or null when nothing is chosen. An emptied text is "", not null. */
export function valueOf(node) {
  const kind = node.dataset.kind;
  const ticked = () => [...node.querySelectorAll("input:checked")].map((box) => box.value);
  if (kind === "checkboxes") return ticked();
  if (kind === "radio_buttons") return ticked()[0] ?? null;
  const control = node.querySelector("input, textarea, select");
  if (control === null) return null;
  if (kind === "external_select") return JSON.parse(control.dataset.option ?? "null");
  return control.value === "" && kind !== "plain_text_input" ? null : control.value;
}

export function valuesOf(form) {
  const values = {};
  for (const node of form.querySelectorAll("[data-block-id]")) {
    values[node.dataset.blockId] ??= {};
    values[node.dataset.blockId][node.dataset.actionId] = valueOf(node);
  }
  return values;
}

/** Carries what was typed from the old form to its updated one, input by input. */
export function carryOver(from, to) {
  for (const fresh of to.querySelectorAll("[data-block-id]")) {
    const { blockId, actionId } = fresh.dataset;
    const old = [...from.querySelectorAll("[data-block-id]")].find(
      (node) => node.dataset.blockId === blockId && node.dataset.actionId === actionId,
    );
    if (old !== undefined) copyInput(old, fresh);
  }
}

function copyInput(old, fresh) {
  const before = [...old.querySelectorAll("input, textarea, select")];
  [...fresh.querySelectorAll("input, textarea, select")].forEach((control, index) => {
    const source = before[index];
    if (source === undefined) return;
    if (control.type === "radio" || control.type === "checkbox") control.checked = source.checked;
    else if (source.value !== "") control.value = source.value;
    if (source.dataset.option !== undefined) control.dataset.option = source.dataset.option;
  });
}

/** Shows the errors under their inputs and moves to the first one. */
export function showErrors(form, errors) {
  for (const node of form.querySelectorAll("[data-block-id]")) {
    const text = errors[node.dataset.blockId] ?? "";
    const place = node.querySelector(".field-error");
    place.replaceChildren(...plainText(text));
    place.hidden = text === "";
    node.classList.toggle("invalid", text !== "");
    const control = node.querySelector("input, textarea, select");
    control?.setAttribute("aria-invalid", text === "" ? "false" : "true");
  }
  form.querySelector(".invalid :is(input, textarea, select)")?.focus();
}
