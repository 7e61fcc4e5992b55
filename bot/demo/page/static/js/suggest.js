// A text box with suggestions that the bot is asked for while one types.

import { el } from "./dom.js";
import { plain } from "./mrkdwn.js";

const PAUSE_MS = 150;

/** `look(typed)` resolves to options; the box keeps the chosen one in data-option. */
export function suggestBox(described, { id, notes, look }) {
  const initial = described.initial_option;
  const box = el("input", {
    id,
    type: "text",
    class: "field-box",
    role: "combobox",
    autocomplete: "off",
    "aria-expanded": "false",
    "aria-autocomplete": "list",
    "aria-controls": `${id}-list`,
    "aria-describedby": notes,
    placeholder: described.placeholder?.text,
    value: initial ? plain(initial.text.text) : "",
  });
  if (initial) box.dataset.option = JSON.stringify(initial);
  const list = el("ul", { class: "suggestions", id: `${id}-list`, role: "listbox", hidden: true });
  new Suggestions(box, list, look, described.min_query_length ?? 0);
  return el("div", { class: "suggest" }, box, list);
}

class Suggestions {
  constructor(box, list, look, least) {
    Object.assign(this, { box, list, look, least, timer: 0, asked: 0, at: 0 });
    box.addEventListener("click", () => this.list.hidden && this.ask(0));
    box.addEventListener("input", () => {
      delete box.dataset.option;
      this.ask(PAUSE_MS);
    });
    box.addEventListener("blur", () => this.leave());
    box.addEventListener("keydown", (event) => this.key(event));
    list.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      const item = event.target.closest("[role=option]");
      if (item !== null) this.choose(item);
    });
  }

  ask(pause) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.fill(), pause);
  }

  async fill() {
    const typed = this.box.dataset.option === undefined ? this.box.value : "";
    if (typed.length < this.least) return this.hide();
    const turn = (this.asked += 1);
    const options = await this.look(typed);
    // An answer to an older question, or for a box already left, is no longer wanted.
    if (turn !== this.asked || document.activeElement !== this.box) return;
    this.show(options);
  }

  show(options) {
    const item = (option, index) =>
      el(
        "li",
        { role: "option", id: `${this.list.id}-${index}`, "data-option": JSON.stringify(option) },
        plain(option.text.text),
        option.description ? el("small", {}, plain(option.description.text)) : null,
      );
    const none = el("li", { class: "none" }, "Nothing found");
    this.list.replaceChildren(...(options.length > 0 ? options.map(item) : [none]));
    this.list.hidden = false;
    this.box.setAttribute("aria-expanded", "true");
    this.mark(0);
  }

  hide() {
    this.list.hidden = true;
    this.box.setAttribute("aria-expanded", "false");
    this.box.removeAttribute("aria-activedescendant");
  }

  leave() {
    clearTimeout(this.timer);
    this.hide();
    if (this.box.dataset.option === undefined) this.box.value = "";
  }

  mark(index) {
    const items = this.items();
    if (items.length === 0) return;
    this.at = (index + items.length) % items.length;
    items.forEach((item, place) => item.setAttribute("aria-selected", String(place === this.at)));
    this.box.setAttribute("aria-activedescendant", items[this.at].id);
    items[this.at].scrollIntoView({ block: "nearest" });
  }

  items() {
    return [...this.list.querySelectorAll("[role=option]")];
  }

  key(event) {
    if (this.list.hidden) {
      if (event.key === "ArrowDown") this.ask(0);
      return;
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) this.mark(this.at + step);
    else if (event.key === "Enter" && this.items()[this.at]) this.choose(this.items()[this.at]);
    else if (event.key === "Escape") this.hide();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  choose(item) {
    this.box.value = item.firstChild.textContent;
    this.box.dataset.option = item.dataset.option;
    this.hide();
    this.box.dispatchEvent(new Event("change", { bubbles: true }));
  }
}
