// The confirm dialog in front of dangerous buttons, and the stack of modals.

import { blocks } from "./blocks.js";
import { busyWhile, el, focusables, trapTab } from "./dom.js";
import { carryOver, showErrors, valuesOf } from "./inputs.js";
import { plain, plainText, textNodes } from "./mrkdwn.js";

/** Resolves to whether the person agreed; Escape and a click beside it mean no. */
export function confirmDialog(layer, described, names) {
  return new Promise((resolve) => {
    const before = document.activeElement;
    const done = (agreed) => {
      shade.remove();
      if (before?.isConnected) before.focus();
      resolve(agreed);
    };
    const style = described.style === "danger" ? "danger" : "primary";
    const yes = el("button", { type: "button", class: `button ${style}`, "data-testid": "confirm-yes", onclick: () => done(true) }, plain(described.confirm.text));
    const no = el("button", { type: "button", class: "button", "data-testid": "confirm-no", onclick: () => done(false) }, plain(described.deny.text));
    const box = el(
      "div",
      { class: "dialog confirm", role: "alertdialog", "aria-modal": "true", "data-testid": "confirm-dialog", "aria-labelledby": "confirm-title", "aria-describedby": "confirm-text" },
      el("h2", { id: "confirm-title" }, ...plainText(plain(described.title.text))),
      el("div", { id: "confirm-text", class: "text" }, ...textNodes(described.text, names)),
      el("div", { class: "dialog-buttons" }, no, yes),
    );
    const shade = el("div", { class: "shade" }, box);
    shade.addEventListener("pointerdown", (event) => event.target === shade && done(false));
    shade.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape") done(false);
      trapTab(box, event);
    });
    layer.append(shade);
    (style === "danger" ? no : yes).focus();
  });
}

/** Shows the open views of a person; only the topmost can be used. */
export class Modals {
  constructor(layer, { api, contextFor, failed, refresh }) {
    Object.assign(this, { layer, api, contextFor, failed, refresh });
    this.open = new Map();
    this.before = null;
  }

  show(views) {
    const wanted = new Set(views.map((view) => view.id));
    const had = this.open.size;
    for (const [id, shown] of this.open) if (!wanted.has(id)) this.remove(id, shown);
    if (had === 0 && views.length > 0) this.before = document.activeElement;
    views.forEach((view) => this.showOne(view));
    const ids = views.map((view) => view.id);
    ids.forEach((id, index) => (this.open.get(id).shade.hidden = index < ids.length - 1));
    if (had > 0 && views.length === 0 && this.before?.isConnected) this.before.focus();
    else if (had > views.length && views.length > 0) this.focusFirst(this.open.get(ids.at(-1)).form);
  }

  remove(id, shown) {
    shown.shade.remove();
    this.open.delete(id);
  }

  showOne(view) {
    const shown = this.open.get(view.id);
    if (shown?.mark === markOf(view)) return;
    const form = this.form(view);
    if (shown === undefined) {
      const shade = el("div", { class: "shade" }, form);
      this.layer.append(shade);
      this.open.set(view.id, { shade, form, mark: markOf(view) });
      this.focusFirst(form);
      return;
    }
    this.replace(shown, form);
    this.open.set(view.id, { ...shown, form, mark: markOf(view) });
  }

  /** An updated view keeps what was typed and where the cursor was. */
  replace(shown, form) {
    const here = focusables(shown.form).indexOf(document.activeElement);
    const sameForm = shown.form.dataset.callback === form.dataset.callback;
    if (sameForm) carryOver(shown.form, form);
    shown.form.replaceWith(form);
    if (here >= 0 && sameForm) focusables(form)[here]?.focus();
    else this.focusFirst(form);
  }

  focusFirst(form) {
    const fields = form.querySelector(".modal-body :is(input, textarea, select)");
    (fields ?? form.querySelector("[type=submit]") ?? form.querySelector("button"))?.focus();
  }

  form({ id, view }) {
    const context = this.contextFor(id);
    const title = `modal-title-${id}`;
    const close = () => this.close(id);
    const submit = view.submit
      ? el("button", { type: "submit", class: "button primary", "data-testid": "modal-submit" }, el("span", { class: "label" }, ...plainText(view.submit.text)))
      : null;
    const form = el(
      "form",
      { class: "dialog modal", role: "dialog", "aria-modal": "true", "aria-labelledby": title, "data-testid": "modal", "data-view": id, "data-callback": view.callback_id ?? "", novalidate: true },
      el("header", { class: "modal-head" }, el("h2", { id: title }, ...plainText(plain(view.title.text))), el("button", { type: "button", class: "icon-button", "aria-label": "Close this form", onclick: close }, "✕")),
      el("div", { class: "modal-body" }, ...blocks(view.blocks, context)),
      el("footer", { class: "dialog-buttons" }, el("button", { type: "button", class: "button", "data-testid": "modal-close", onclick: close }, ...plainText(view.close?.text ?? "Close")), submit),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (submit !== null) this.submit(id, form, submit);
    });
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") close();
      if (event.key === "Enter" && event.target.tagName === "TEXTAREA" && (event.metaKey || event.ctrlKey)) form.requestSubmit();
      trapTab(form, event);
    });
    return form;
  }

  async submit(id, form, button) {
    if (button.classList.contains("busy")) return;
    const values = valuesOf(form);
    const missing = this.missing(form);
    showErrors(form, missing);
    if (Object.keys(missing).length > 0) return;
    const answer = await busyWhile(button, () => this.api.post("submit", { view_id: id, values }));
    if (answer.errors) showErrors(form, answer.errors);
    else if (!answer.ok) this.failed(answer.error);
    await this.refresh();
  }

  /** What is filled in right now, for the bot's questions about a form. */
  valuesOf(id) {
    const shown = this.open.get(id);
    return shown === undefined ? {} : valuesOf(shown.form);
  }

  missing(form) {
    const errors = {};
    const values = valuesOf(form);
    for (const node of form.querySelectorAll("[data-block-id]:not(:has(.optional))")) {
      const value = values[node.dataset.blockId][node.dataset.actionId];
      if (value === null || value.length === 0) errors[node.dataset.blockId] = "Please fill in this field.";
    }
    return errors;
  }

  async close(id) {
    const answer = await this.api.post("close", { view_id: id });
    if (!answer.ok) this.failed(answer.error);
    await this.refresh();
  }
}

const markOf = (view) => `${view.hash}:${JSON.stringify(view.view)}`;
