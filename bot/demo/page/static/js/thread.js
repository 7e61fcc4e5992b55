// The panel beside the messages that holds one thread.

import { byId, el } from "./dom.js";
import { Composer } from "./composer.js";
import { MessageList } from "./messages.js";

export class Thread {
  /** `send(text, ts)` speaks in the thread that is open. */
  constructor({ contextFor, send, choices, botId, closed }) {
    this.root = byId("thread");
    this.ts = null;
    this.closed = closed;
    this.composer = new Composer({ testid: "thread-composer", label: "Reply in thread", send: (text) => send(text, this.ts), choices });
    this.parentPlace = el("div", { class: "thread-parent", "data-testid": "thread-parent" });
    const replies = el("div", { class: "messages", role: "log", "aria-label": "Replies" });
    this.count = el("p", { class: "reply-count" });
    const scroll = el("div", { class: "scroll" }, this.parentPlace, this.count, replies);
    const close = el("button", { type: "button", class: "icon-button", "aria-label": "Close the thread", "data-testid": "thread-close", onclick: () => this.close() }, "✕");
    this.root.append(el("header", { class: "channel-head" }, el("h2", {}, "Thread"), close), scroll, this.composer.root);
    const parts = { contextFor, openThread: null, botId };
    this.parent = new MessageList(this.parentPlace, scroll, parts);
    this.replies = new MessageList(replies, scroll, parts);
    this.root.addEventListener("keydown", (event) => event.key === "Escape" && this.close());
  }

  open(ts) {
    this.ts = ts;
    this.root.hidden = false;
    document.body.classList.add("thread-is-open");
    this.composer.box.focus();
  }

  close() {
    if (this.ts === null) return;
    const ts = this.ts;
    this.ts = null;
    this.root.hidden = true;
    this.parent.clear(null);
    this.replies.clear(null);
    document.body.classList.remove("thread-is-open");
    this.closed(ts);
  }

  /** The parent may or may not lead the server's list; it is shown once, above. */
  show(channel, state, names) {
    if (this.ts === null) return;
    const key = `${channel}:${this.ts}`;
    const all = state.messages[channel] ?? [];
    const inThread = state.threads[key] ?? [];
    const isParent = (message) => message.ts === this.ts;
    const parent = inThread.find(isParent) ?? all.find(isParent);
    if (parent === undefined) return this.close();
    const replies = inThread.filter((message) => !isParent(message));
    this.parent.show(key, [parent], names);
    this.parentPlace.querySelector("article")?.removeAttribute("data-testid");
    const said = replies.filter((message) => !message.ephemeral).length;
    this.count.textContent = said === 1 ? "1 reply" : `${said} replies`;
    this.replies.show(key, replies, names);
  }
}
