// The drawer with the channels and panels, where the window is too narrow to show them always.

import { byId } from "./dom.js";

export class Menu {
  constructor() {
    this.toggle = byId("menu-toggle");
    this.toggle.addEventListener("click", () => this.show(!this.isOpen));
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !this.isOpen) return;
      this.show(false);
      this.toggle.focus();
    });
    document.addEventListener("pointerdown", (event) => {
      if (this.isOpen && event.target.closest("#side, #menu-toggle") === null) this.show(false);
    });
  }

  get isOpen() {
    return document.body.classList.contains("menu-is-open");
  }

  show(on) {
    document.body.classList.toggle("menu-is-open", on);
    this.toggle.setAttribute("aria-expanded", String(on));
  }
}
