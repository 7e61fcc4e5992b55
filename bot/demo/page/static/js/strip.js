// What the phone shows: the newest notification, and the ones before it on request.

import { byId, el } from "./dom.js";
import { mrkdwn } from "./mrkdwn.js";

export class Strip {
  constructor() {
    this.root = byId("strip");
    this.mark = "";
    this.open = false;
  }

  show(notifications, names) {
    const newest = [...notifications].sort((a, b) => (a.at < b.at ? 1 : -1));
    const mark = JSON.stringify(newest);
    if (mark === this.mark && this.root.firstChild !== null) return;
    this.mark = mark;
    this.newest = newest;
    this.names = names;
    this.draw();
  }

  draw() {
    const [first, ...rest] = this.newest;
    if (first === undefined) {
      this.root.replaceChildren(el("p", { class: "strip-empty" }, "What a phone would show of this appears here."));
      return;
    }
    const more = el("button", { type: "button", class: "button small strip-more", "aria-expanded": String(this.open), "aria-label": `${rest.length} earlier notifications`, hidden: rest.length === 0 }, this.open ? "Less" : `+${rest.length}`);
    more.addEventListener("click", () => {
      this.open = !this.open;
      this.draw();
      this.root.querySelector(".strip-more").focus();
    });
    const list = this.open ? [el("ul", { class: "strip-rest" }, ...rest.map((item) => el("li", {}, this.note(item))))] : [];
    this.root.replaceChildren(el("div", { class: "strip-first" }, el("span", { class: "phone-shape", "aria-hidden": "true" }), this.note(first), more), ...list);
  }

  note({ at, channel, text }) {
    const when = new Date(at);
    const time = when.toLocaleTimeString([], { hour: "numeric", minute: "2-digit" });
    const place = this.names.channel(channel);
    return el("div", { class: "note", "data-testid": "notification" }, el("small", {}, `${place ? `#${place}` : "direct message"} · `, el("time", { datetime: at }, time)), el("span", { class: "note-text", title: text }, ...mrkdwn(text, this.names)));
  }
}
