// Turns mrkdwn into nodes. Everything unknown stays the text it was.

import { el } from "./dom.js";
import { sign, signOfCharacter, SIGN_CHARACTERS } from "./signs.js";

const EDGE = "(?<![\\w*_~])";
const END = "(?![\\w*_~])";
const span = (mark) => `${EDGE}${mark}(\\S(?:[^\\n${mark.at(-1)}]*\\S)?)${mark}${END}`;

const INLINE = new RegExp(
  [
    "`([^`\\n]+)`",
    "<([^<>\\n]+)>",
    ":([a-z0-9_+-]+):",
    span("\\*"),
    span("_"),
    span("~"),
    `(${SIGN_CHARACTERS})`,
  ].join("|"),
  "g",
);

const GLYPHS = /^[▁▂▃▄▅▆▇█▰▱░▒▓ ]+$/;
const LONGEST_UNBROKEN = 14;
const QUOTE = /^(?:&gt;|>) ?/;

export function plain(text) {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

/** Nodes for a whole text: fenced code, quotes and lines. `names` resolves ids. */
export function mrkdwn(text, names) {
  const nodes = [];
  text.split("```").forEach((part, index, parts) => {
    const fenced = index % 2 === 1 && index < parts.length - 1;
    if (fenced) nodes.push(el("pre", {}, plain(part.replace(/^\n|\n$/g, ""))));
    else nodes.push(...lines(index % 2 === 1 ? "```" + part : trimAround(part, index, parts), names));
  });
  return nodes;
}

function trimAround(part, index, parts) {
  const afterCode = index > 0 ? part.replace(/^\n/, "") : part;
  return index < parts.length - 1 ? afterCode.replace(/\n$/, "") : afterCode;
}

function lines(text, names) {
  if (text === "") return [];
  const nodes = [];
  let quote = null;
  let open = false;
  for (const line of text.split("\n")) {
    const quoted = QUOTE.test(line);
    if (quoted && quote === null) nodes.push((quote = el("blockquote")));
    else if (quoted) quote.append(el("br"));
    else if (open) nodes.push(el("br"));
    if (quoted) quote.append(...inline(line.replace(QUOTE, ""), names));
    else nodes.push(...inline(line, names));
    if (!quoted) quote = null;
    open = !quoted;
  }
  return nodes;
}

export function inline(text, names) {
  const nodes = [];
  let from = 0;
  for (const found of text.matchAll(INLINE)) {
    const made = token(found, names);
    if (made === null) continue;
    if (found.index > from) nodes.push(plain(text.slice(from, found.index)));
    nodes.push(made);
    from = found.index + found[0].length;
  }
  if (from < text.length) nodes.push(plain(text.slice(from)));
  return nodes;
}

function token([, code, angle, emoji, bold, italic, strike, character], names) {
  if (code !== undefined) return codeSpan(plain(code));
  if (angle !== undefined) return angled(angle, names);
  if (emoji !== undefined) return sign(emoji);
  if (bold !== undefined) return el("strong", {}, ...inline(bold, names));
  if (italic !== undefined) return el("em", {}, ...inline(italic, names));
  if (strike !== undefined) return el("s", {}, ...inline(strike, names));
  return signOfCharacter(character);
}

function codeSpan(text) {
  const drawing = GLYPHS.test(text);
  // An id is one word, although it has a hyphen in it.
  const whole = text.length <= LONGEST_UNBROKEN ? { class: "whole" } : {};
  return el("code", drawing ? { class: "spark", "aria-hidden": "true" } : whole, text);
}

function angled(body, names) {
  const bar = body.indexOf("|");
  const target = bar < 0 ? body : body.slice(0, bar);
  const label = bar < 0 ? null : plain(body.slice(bar + 1));
  if (target.startsWith("@")) return mention(`@${names.user(target.slice(1)) ?? label ?? target.slice(1)}`);
  if (target.startsWith("#")) return mention(`#${names.channel(target.slice(1)) ?? label ?? target.slice(1)}`);
  if (target.startsWith("!date^")) return date(target, label);
  if (target.startsWith("!subteam^")) return mention(label ?? "@group");
  if (target.startsWith("!")) return mention(`@${label ?? target.slice(1)}`);
  return link(plain(target), label);
}

const mention = (text) => el("span", { class: "mention" }, text);

/** A link, unless its scheme could run something: then only its text. */
export function link(target, label) {
  if (!/^(https?:\/\/|mailto:)/i.test(target)) return el("span", {}, label ?? target);
  const props = { href: target, target: "_blank", rel: "noopener noreferrer" };
  return el("a", props, label ?? target);
}

function date(target, fallback) {
  const [, seconds, format] = target.split("^");
  const when = new Date(Number(seconds) * 1000);
  if (Number.isNaN(when.getTime())) return el("span", {}, fallback ?? "");
  const text = (format ?? "{date} {time}").replace(/\{(\w+)\}/g, (whole, name) => piece(name, when) ?? whole);
  return el("time", { datetime: when.toISOString(), title: fallback ?? "" }, plain(text));
}

const CLOCK = { hour: "numeric", minute: "2-digit" };
const DATES = {
  date: { dateStyle: "long" }, date_long: { dateStyle: "full" }, date_short: { dateStyle: "medium" },
  date_num: { year: "numeric", month: "2-digit", day: "2-digit" },
};

function piece(name, when) {
  if (name === "time") return when.toLocaleTimeString([], CLOCK);
  if (name === "time_secs") return when.toLocaleTimeString([], { ...CLOCK, second: "2-digit" });
  const style = DATES[name.replace("_pretty", "")];
  if (style === undefined) return null;
  return (name.endsWith("_pretty") ? nearDay(when) : null) ?? when.toLocaleDateString([], style);
}

function nearDay(when) {
  const midnight = (moment) => new Date(moment).setHours(0, 0, 0, 0);
  const days = Math.round((midnight(when) - midnight(Date.now())) / 86_400_000);
  return { 0: "today", 1: "tomorrow", "-1": "yesterday" }[days] ?? null;
}

/** Nodes for plain_text: signs are drawn, everything else is literal. */
export function plainText(text) {
  const nodes = [];
  let from = 0;
  const pattern = new RegExp(`:([a-z0-9_+-]+):|(${SIGN_CHARACTERS})`, "g");
  for (const found of text.matchAll(pattern)) {
    const made = found[1] === undefined ? signOfCharacter(found[2]) : sign(found[1]);
    if (made === null) continue;
    if (found.index > from) nodes.push(text.slice(from, found.index));
    nodes.push(made);
    from = found.index + found[0].length;
  }
  nodes.push(text.slice(from));
  return nodes;
}

export function textNodes(object, names) {
  if (object === null || object === undefined) return [];
  return object.type === "mrkdwn" ? mrkdwn(object.text, names) : plainText(object.text);
}
