// The list of channels, with how much was missed in each.

import { el } from "./dom.js";

export class Channels {
  constructor(root, enter) {
    this.root = root;
    this.enter = enter;
    this.mark = "";
  }

  show(channels, current) {
    const mark = JSON.stringify([channels, current]);
    if (mark === this.mark) return;
    this.mark = mark;
    const shown = (channel) => (channel.id === current ? { ...channel, unread: 0 } : channel);
    this.root.replaceChildren(...channels.map((channel) => this.row(shown(channel), channel.id === current)));
  }

  row({ id, name, unread }, isCurrent) {
    const sign = { C: "#", D: "@" }[id.charAt(0)] ?? "⌂";
    return el(
      "li",
      {},
      el(
        "button",
        { type: "button", class: `channel-link${unread > 0 ? " unread" : ""}`, "aria-current": isCurrent ? "true" : null, "data-testid": `channel-${id}`, onclick: () => this.enter(id) },
        el("span", { class: "channel-sign", "aria-hidden": "true" }, sign),
        el("span", {}, name),
        unread > 0 ? el("span", { class: "badge", "aria-label": `${unread} unread` }, String(unread)) : null,
      ),
    );
  }
}
