// The box one types into, with completion of commands and names.

import { busyWhile, el } from "./dom.js";

export class Composer {
  /** `send(text)` resolves to an answer; the text comes back into the box when it failed. */
  constructor({ testid, label, send, choices }) {
    Object.assign(this, { send, choices, found: [], at: 0 });
    this.box = el("textarea", {
      class: "composer-box",
      id: testid,
      rows: 1,
      "data-testid": testid,
      "aria-label": label,
      placeholder: label,
      role: "combobox",
      "aria-autocomplete": "list",
      "aria-expanded": "false",
      "aria-controls": `${testid}-list`,
    });
    this.list = el("ul", { class: "completion", id: `${testid}-list`, role: "listbox", "aria-label": "Completions", hidden: true });
    this.hint = el("p", { class: "usage", hidden: true });
    this.button = el("button", { type: "submit", class: "button primary send", "aria-label": "Send" }, el("span", { class: "label" }, "Send"));
    this.root = el("form", { class: "composer" }, this.list, this.hint, el("div", { class: "composer-row" }, this.box, this.button));
    this.listen();
  }

  listen() {
    this.root.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    this.box.addEventListener("input", () => this.typed());
    this.box.addEventListener("keydown", (event) => this.key(event));
    this.box.addEventListener("blur", () => this.hide());
    this.list.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      const item = event.target.closest("[role=option]");
      if (item !== null) this.complete(Number(item.dataset.index));
    });
  }

  label(text) {
    this.box.setAttribute("placeholder", text);
    this.box.setAttribute("aria-label", text);
  }

  write(text) {
    this.box.value = text;
    this.box.focus();
    this.typed();
  }

  typed() {
    this.box.style.height = "auto";
    this.box.style.height = `${Math.min(this.box.scrollHeight + 2, 160)}px`;
    const { options, usage } = this.choices(this.box.value, this.box.selectionStart);
    this.hint.textContent = usage ?? "";
    this.hint.hidden = !usage;
    this.found = options;
    this.at = 0;
    this.draw();
  }

  draw() {
    const item = ({ name, detail, note }, index) =>
      el(
        "li",
        { role: "option", id: `${this.list.id}-${index}`, "data-index": index, "aria-selected": String(index === this.at) },
        el("span", { class: "completion-name" }, name, detail ? el("span", { class: "completion-usage" }, ` ${detail}`) : null),
        note ? el("small", {}, note) : null,
      );
    this.list.replaceChildren(...this.found.map(item));
    this.list.hidden = this.found.length === 0;
    this.box.setAttribute("aria-expanded", String(this.found.length > 0));
    if (this.found.length > 0) this.box.setAttribute("aria-activedescendant", `${this.list.id}-${this.at}`);
    else this.box.removeAttribute("aria-activedescendant");
  }

  hide() {
    this.found = [];
    this.draw();
  }

  key(event) {
    if (event.isComposing) return;
    if (this.found.length > 0 && this.keyInList(event)) {
      event.preventDefault();
      event.stopPropagation();
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.submit();
    }
  }

  keyInList(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      this.at = (this.at + step + this.found.length) % this.found.length;
      this.draw();
      return true;
    }
    if (event.key === "Escape") this.hide();
    // Enter on a word that is already complete sends it instead.
    else if (event.key === "Tab" || (event.key === "Enter" && !this.isComplete())) this.complete(this.at);
    else return false;
    return true;
  }

  isComplete() {
    return this.box.value.trim().endsWith(this.found[this.at].name);
  }

  complete(index) {
    const { name, from } = this.found[index];
    const rest = this.box.value.slice(this.box.selectionStart);
    this.box.value = `${this.box.value.slice(0, from)}${name} ${rest.trimStart()}`;
    this.box.selectionStart = this.box.selectionEnd = from + name.length + 1;
    this.typed();
  }

  async submit() {
    const text = this.box.value.trim();
    if (text === "" || this.button.classList.contains("busy")) return;
    this.box.value = "";
    this.typed();
    const answer = await busyWhile(this.button, () => this.send(text));
    if (!answer.ok && this.box.value === "") this.write(text);
  }
}

/** Completions for the text up to the cursor: commands at its start, names after an @. */
export function completions(text, cursor, { commands, names }) {
  const before = text.slice(0, cursor);
  const command = /^\/\S*$/.exec(before);
  if (command !== null) {
    const options = commands
      .filter((item) => item.command.startsWith(before))
      .map((item) => ({ name: item.command, detail: item.usage_hint, note: item.description, from: 0 }));
    return { options, usage: null };
  }
  const known = commands.find((item) => before.startsWith(`${item.command} `));
  if (known !== undefined) return { options: [], usage: `${known.command} ${known.usage_hint ?? ""}` };
  const mention = /(^|\s)@(\w*)$/.exec(before);
  if (mention === null) return { options: [], usage: null };
  const typed = mention[2].toLowerCase();
  const from = cursor - mention[2].length - 1;
  const options = names.filter(({ name }) => name.toLowerCase().startsWith(`@${typed}`));
  return { options: options.map((item) => ({ ...item, from })), usage: null };
}
