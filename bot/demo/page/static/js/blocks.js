// Draws the blocks of a message or a modal.

import { el } from "./dom.js";
import { element } from "./elements.js";
import { inputBlock } from "./inputs.js";
import { link, mrkdwn, plainText, textNodes } from "./mrkdwn.js";
import { sign } from "./signs.js";

const MAKERS = {
  section,
  actions: (block, context) =>
    el("div", { class: "block actions" }, ...block.elements.map((item) => element(item, block, context))),
  context: contextLine,
  divider: () => el("hr", { class: "block" }),
  header: (block) => el("h3", { class: "block header" }, ...plainText(block.text.text)),
  input: inputBlock,
  table,
  image: (block) => picture(block, "block image"),
  markdown: (block, context) => el("div", { class: "block" }, ...mrkdwn(block.text, context.names)),
  rich_text: (block, context) => el("div", { class: "block" }, ...richText(block, context.names)),
};

/** All blocks as nodes; a kind this page does not know becomes a note, never an error. */
export function blocks(described, context) {
  return described.map((block) => {
    const make = MAKERS[block.type];
    const unknown = () => el("p", { class: "block undrawn" }, `(${block.type} is not drawn here)`);
    return make === undefined ? unknown() : make(block, context);
  });
}

function section(block, context) {
  const words = el("div", { class: "words" });
  if (block.text) words.append(el("div", { class: "text" }, ...textNodes(block.text, context.names)));
  if (block.fields) {
    const field = (text) => el("div", { class: "field" }, ...textNodes(text, context.names));
    words.append(el("div", { class: "fields" }, ...block.fields.map(field)));
  }
  const node = el("div", { class: "block section" }, words);
  if (block.accessory) node.append(accessory(block, context));
  return node;
}

function accessory(block, context) {
  const described = block.accessory;
  const node = described.type === "image" ? picture(described, "thumb") : element(described, block, context);
  return el("div", { class: "accessory" }, node);
}

function contextLine(block, context) {
  const piece = (item) =>
    item.type === "image"
      ? picture(item, "thumb tiny")
      : el("span", {}, ...textNodes(item, context.names));
  return el("div", { class: "block context" }, ...block.elements.map(piece));
}

/** Pictures come from elsewhere, and nothing outside is loaded: their words stand in. */
function picture(described, kind) {
  const words = described.alt_text || described.title?.text || "picture";
  return el("div", { class: `${kind} placeholder`, role: "img", "aria-label": words }, words);
}

function table(block, context) {
  const settings = block.column_settings ?? [];
  const cell = (tag) => (item, column) => {
    const align = settings[column]?.align ?? "left";
    const props = { class: `align-${align}`, ...(tag === "th" ? { scope: "col" } : {}) };
    return el(tag, props, ...cellNodes(item, context));
  };
  const [head, ...rows] = block.rows;
  const body = rows.map((row) => el("tr", {}, ...row.map(cell("td"))));
  return el(
    "div",
    { class: "block table", tabindex: "0", role: "region", "aria-label": "Table" },
    el("table", {}, el("thead", {}, el("tr", {}, ...head.map(cell("th")))), el("tbody", {}, ...body)),
  );
}

function cellNodes(item, context) {
  if (item.type === "rich_text") return richText(item, context.names);
  return plainText(String(item.text ?? item.value ?? ""));
}

function richText(block, names) {
  return (block.elements ?? []).map((part) => {
    if (part.elements === undefined) return richLeaf(part, names);
    const tag = { rich_text_list: "ul", rich_text_quote: "blockquote", rich_text_preformatted: "pre" };
    const inner = part.type === "rich_text_list" ? part.elements.map((item) => el("li", {}, ...richText({ elements: [item] }, names))) : richText(part, names);
    return el(tag[part.type] ?? "span", {}, ...inner);
  });
}

function richLeaf(part, names) {
  if (part.type === "link") return link(part.url, part.text ?? null);
  if (part.type === "emoji") return sign(part.name) ?? `:${part.name}:`;
  if (part.type === "user") return el("span", { class: "mention" }, `@${names.user(part.user_id) ?? part.user_id}`);
  if (part.type === "channel") return el("span", { class: "mention" }, `#${names.channel(part.channel_id) ?? part.channel_id}`);
  const tags = { bold: "strong", italic: "em", strike: "s", code: "code" };
  const styles = Object.keys(part.style ?? {}).filter((style) => part.style[style] && style in tags);
  return styles.reduce((node, style) => el(tags[style], {}, node), part.text ?? "");
}
