// Short notes about what did not work; they leave by themselves or on a press.

import { el } from "./dom.js";

const STAY_MS = 8000;

export class Toasts {
  constructor(root) {
    this.root = root;
  }

  show(text) {
    const leave = () => note.remove();
    const close = el("button", { type: "button", class: "icon-button", "aria-label": "Dismiss", onclick: leave }, "✕");
    const note = el("div", { class: "toast", role: "alert", "data-testid": "toast" }, el("p", {}, text ?? "That did not work."), close);
    this.root.append(note);
    setTimeout(leave, STAY_MS);
  }
}
