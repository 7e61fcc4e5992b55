// A list of messages that touches only what changed.

import { blocks } from "./blocks.js";
import { el, focusables, svg } from "./dom.js";
import { mrkdwn, plain } from "./mrkdwn.js";
import { toneOf } from "./signs.js";

const NEAR_END_PX = 60;
const ONE_BREATH_MS = 5 * 60_000;

export class MessageList {
  /** `scroll` is the element that scrolls `root`; `contextFor(message)` serves its blocks. */
  constructor(root, scroll, { contextFor, openThread, botId }) {
    Object.assign(this, { root, scroll, contextFor, openThread, botId });
    this.shown = new Map();
    this.key = null;
    this.more = el("button", { type: "button", class: "button small more-below", "data-testid": "more-below", hidden: true, onclick: () => this.toEnd() }, "New messages ↓");
    if (root.getAttribute("role") === "log") scroll.after(this.more);
    scroll.addEventListener("scroll", () => this.atEnd() && (this.more.hidden = true), { passive: true });
  }

  /** Another `key` means another conversation: start anew, at its end. */
  show(key, messages, names) {
    const fresh = messages.filter((message) => !this.shown.has(message.ts));
    // What is for this person alone answers what they just did: it must not stay unseen below.
    const follow = key !== this.key || this.atEnd() || fresh.some((message) => message.ephemeral);
    if (key !== this.key) this.clear(key);
    const wanted = new Set(messages.map((message) => message.ts));
    for (const [ts, { node }] of this.shown) if (!wanted.has(ts)) this.drop(ts, node);
    let after = null;
    messages.forEach((message, index) => {
      after = this.place(message, after, names);
      after.classList.toggle("goes-on", goesOn(messages[index - 1], message));
    });
    if (follow) this.toEnd();
    else this.more.hidden &&= fresh.length === 0;
  }

  toEnd() {
    this.scroll.scrollTop = this.scroll.scrollHeight;
    this.more.hidden = true;
  }

  clear(key) {
    this.root.replaceChildren();
    this.shown.clear();
    this.key = key;
  }

  drop(ts, node) {
    node.remove();
    this.shown.delete(ts);
  }

  atEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroll;
    return scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
  }

  place(message, after, names) {
    const mark = JSON.stringify(message);
    const before = this.shown.get(message.ts);
    if (before?.mark === mark) return before.node;
    const node = this.draw(message, names);
    if (before === undefined) this.root.insertBefore(node, after === null ? this.root.firstChild : after.nextSibling);
    else replaceKeepingFocus(before.node, node);
    this.shown.set(message.ts, { mark, node });
    return node;
  }

  draw(message, names) {
    const isBot = message.user === this.botId();
    const body = [
      message.blocks?.length > 0
        ? el("div", { class: cardClass(message, isBot) }, ...blocks(message.blocks, this.contextFor(message)))
        : el("div", { class: "text" }, ...mrkdwn(message.text, names)),
    ];
    if (message.edited) body.push(el("span", { class: "edited" }, "(edited)"));
    return el(
      "article",
      { class: `message${isBot ? " by-bot" : ""}`, "data-testid": `message-${message.ts}`, "aria-label": `${message.name}: ${plain(message.text).slice(0, 150)}` },
      avatar(message, isBot),
      head(message, isBot),
      message.ephemeral ? onlyForYou(body) : el("div", { class: "body" }, ...body),
      this.openThread && !message.ephemeral && !message.home ? threadButton(message, this.openThread) : null,
    );
  }
}

/** Whether it stands below the one before without naming its author again. */
function goesOn(before, message) {
  if (before === undefined || before.user !== message.user || before.ephemeral || message.ephemeral) return false;
  return new Date(message.at) - new Date(before.at) < ONE_BREATH_MS;
}

function cardClass(message, isBot) {
  const first = message.blocks.find((block) => block.text ?? block.fields);
  const tone = isBot ? toneOf(first?.text?.text) : null;
  return `card${tone === null ? "" : ` edge-${tone}`}`;
}

export function avatar({ user, name }, isBot) {
  if (isBot) return el("span", { class: "avatar bot", "aria-hidden": "true" }, wheel());
  const hue = [...user].reduce((sum, letter) => sum + letter.codePointAt(0) * 7, 0) % 6;
  return el("span", { class: `avatar hue-${hue}`, "aria-hidden": "true" }, (name || "?").slice(0, 1));
}

function wheel() {
  const spokes = "M8 1.5v4.5M8 10v4.5M1.5 8h4.5M10 8h4.5M3.4 3.4l3.2 3.2M9.4 9.4l3.2 3.2M12.6 3.4L9.4 6.6M6.6 9.4l-3.2 3.2";
  return svg("svg", { viewBox: "0 0 16 16", class: "sign" }, svg("circle", { cx: 8, cy: 8, r: 4.2 }), svg("path", { d: spokes }));
}

function head(message, isBot) {
  const when = new Date(message.at ?? 0);
  const time = message.at ? when.toLocaleTimeString([], { hour: "numeric", minute: "2-digit" }) : "";
  return el(
    "header",
    { class: "message-head" },
    el("strong", {}, message.name),
    isBot ? el("span", { class: "tag" }, "app") : null,
    message.at ? el("time", { datetime: message.at, title: when.toLocaleString() }, time) : null,
  );
}

function onlyForYou(body) {
  const eye = "M1 8s2.5-4.5 7-4.5S15 8 15 8s-2.5 4.5-7 4.5S1 8 1 8zM8 9.8a1.8 1.8 0 100-3.6 1.8 1.8 0 000 3.6z";
  const icon = svg("svg", { viewBox: "0 0 16 16", class: "sign", "aria-hidden": "true" }, svg("path", { d: eye }));
  return el("div", { class: "body ephemeral", "data-testid": "ephemeral" }, el("p", { class: "only-you" }, icon, "Only visible to you"), ...body);
}

function threadButton(message, openThread) {
  const count = message.reply_count ?? 0;
  const words = count === 0 ? "Reply in thread" : `${count} ${count === 1 ? "reply" : "replies"}`;
  return el(
    "button",
    { type: "button", class: `thread-open${count === 0 ? " quiet" : ""}`, "data-testid": `thread-open-${message.ts}`, onclick: () => openThread(message.ts) },
    words,
  );
}

function replaceKeepingFocus(before, node) {
  const here = document.activeElement;
  const action = before.contains(here) ? (here.dataset.actionId ?? here.dataset.testid) : undefined;
  before.replaceWith(node);
  if (action === undefined) return;
  const same = (item) => item.dataset.actionId === action || item.dataset.testid === action;
  focusables(node).find(same)?.focus({ preventScroll: true });
}
