// The signs behind :shortcodes:. The ones cards use are drawn here, so that they look the
// same on a machine without an emoji font; the rest are characters.

import { el, svg } from "./dom.js";

const CIRCLES = {
  large_green_circle: "green", large_yellow_circle: "yellow", large_blue_circle: "blue",
  red_circle: "red", large_red_circle: "red", white_circle: "hollow",
  large_orange_circle: "orange", large_purple_circle: "purple", black_circle: "ink",
};

const DRAWN = {
  white_check_mark: ["green", "M2.5 8.7l3.7 3.7 7.3-8.8"],
  heavy_check_mark: ["green", "M2.5 8.7l3.7 3.7 7.3-8.8"],
  x: ["red", "M3.5 3.5l9 9M12.5 3.5l-9 9"],
  warning: ["yellow", "M8 2.2l6.3 11.3H1.7zM8 6.5v3.2M8 11.7v.1"],
  rotating_light: ["red", "M4 13v-3.5a4 4 0 018 0V13M2.5 13.5h11M8 1v1.7M2.2 3.6l1.2 1.2M13.8 3.6l-1.2 1.2"],
  lock: ["ink", "M3.5 7.5h9v6.3h-9zM5.3 7.3V5a2.7 2.7 0 015.4 0v2.3"],
  unlock: ["ink", "M3.5 7.5h9v6.3h-9zM5.3 7.3V4.5a2.7 2.7 0 015.3-.6"],
  hourglass_flowing_sand: ["yellow", "M4 2h8M4 14h8M4.8 2c0 3.2 2.5 4 3.2 6-.7 2-3.2 2.8-3.2 6M11.2 2c0 3.2-2.5 4-3.2 6 .7 2 3.2 2.8 3.2 6"],
  hourglass: ["yellow", "M4 2h8M4 14h8M4.8 2c0 3.2 2.5 4 3.2 6-.7 2-3.2 2.8-3.2 6M11.2 2c0 3.2-2.5 4-3.2 6 .7 2 3.2 2.8 3.2 6"],
  leftwards_arrow_with_hook: ["purple", "M6 3L2.5 6.5 6 10M2.5 6.5h7.3a3.5 3.5 0 010 7H7.5"],
  arrows_counterclockwise: ["blue", "M13.5 8a5.5 5.5 0 01-10 3.2M2.5 8a5.5 5.5 0 0110-3.2M12.8 1.8v3h-3M3.2 14.2v-3h3"],
  information_source: ["blue", "M8 14.3A6.3 6.3 0 108 1.7a6.3 6.3 0 000 12.6zM8 7.3v4M8 4.8v.1"],
  snowflake: ["blue", "M8 1.5v13M2.4 4.7l11.2 6.6M13.6 4.7L2.4 11.3M6.3 2.8L8 4.5l1.7-1.7M6.3 13.2L8 11.5l1.7 1.7"],
  double_vertical_bar: ["ink", "M5.5 3v10M10.5 3v10"],
  pause_button: ["ink", "M5.5 3v10M10.5 3v10"],
  tada: ["orange", "M2 14l3-8.5 5.5 5.5zM10 6l3-3M8.5 4.5V2M11.5 7.5H14M6 2.5v.1M13.5 10.5v.1"],
  stopwatch: ["ink", "M8 14.5a5.5 5.5 0 100-11 5.5 5.5 0 000 11zM8 6v3l1.8 1.5M6.5 1.3h3"],
  clock2: ["ink", "M8 14.3A6.3 6.3 0 108 1.7a6.3 6.3 0 000 12.6zM8 4.3V8l3-1.5"],
  speech_balloon: ["ink", "M2 3h12v8H8l-3.5 3V11H2z"],
  busts_in_silhouette: ["ink", "M6 8a2.5 2.5 0 100-5 2.5 2.5 0 000 5zM1.5 13.5c0-2.5 2-3.7 4.5-3.7s4.5 1.2 4.5 3.7M10.5 3.2a2.4 2.4 0 010 4.6M12 10c1.6.4 2.5 1.6 2.5 3.5"],
  bar_chart: ["blue", "M2 14h12M4 11.5V8M8 11.5V3.5M12 11.5V6"],
  bell: ["yellow", "M3.5 11.5c1-1 1.2-2.3 1.2-4.2a3.3 3.3 0 016.6 0c0 1.9.2 3.2 1.2 4.2zM7 13.8h2"],
  rocket: ["blue", "M8 1.5c2.5 2 3 4.5 3 7.5H5c0-3 .5-5.5 3-7.5zM5 8l-2 3h2M11 8l2 3h-2M8 11v3.5"],
  memo: ["ink", "M3 2h7l3 3v9H3zM5.5 7h5M5.5 10h5"],
  wrench: ["ink", "M10 2a3.5 3.5 0 00-3 5l-4.5 4.5 2 2L9 9a3.5 3.5 0 005-3l-2.3 1L10 5.3z"],
  eyes: ["ink", "M1 8s2.5-4.5 7-4.5S15 8 15 8s-2.5 4.5-7 4.5S1 8 1 8zM8 9.8a1.8 1.8 0 100-3.6 1.8 1.8 0 000 3.6z"],
  no_entry: ["red", "M8 14.3A6.3 6.3 0 108 1.7a6.3 6.3 0 000 12.6zM5 8h6"],
};

const CHARACTERS = {
  question: "?", point_right: "→", arrow_right: "→", arrow_up: "↑", arrow_down: "↓",
  heavy_plus_sign: "+", ok: "OK", wave: "👋", raised_hand: "✋", fire: "🔥", package: "📦",
  link: "🔗", calendar: "📅", shield: "🛡", mag: "🔍", telephone_receiver: "📞",
  thumbsup: "👍", "+1": "👍", "-1": "👎", sparkles: "✨", bulb: "💡", key: "🔑",
};

const NAME_OF = {
  "🟢": "large_green_circle", "🟡": "large_yellow_circle", "🔵": "large_blue_circle",
  "🔴": "red_circle", "⚪": "white_circle", "🟠": "large_orange_circle", "✅": "white_check_mark",
  "❌": "x", "⚠️": "warning", "⚠": "warning", "🚨": "rotating_light", "🔒": "lock",
  "🔓": "unlock", "⏳": "hourglass_flowing_sand", "⌛": "hourglass", "↩": "leftwards_arrow_with_hook",
  "↩️": "leftwards_arrow_with_hook", "🔄": "arrows_counterclockwise", "❄": "snowflake",
  "❄️": "snowflake", "⏸": "pause_button", "⏸️": "pause_button", "🎉": "tada", "⏱": "stopwatch",
  "💬": "speech_balloon", "👥": "busts_in_silhouette", "📊": "bar_chart", "ℹ️": "information_source",
  "🔔": "bell", "🚀": "rocket", "📝": "memo", "🔧": "wrench", "👀": "eyes", "⛔": "no_entry",
};

/** Matches a sign written as a character. Longest first, so a variation selector stays in. */
export const SIGN_CHARACTERS = Object.keys(NAME_OF).sort((a, b) => b.length - a.length).join("|");

/** The node for `:name:`, or null when nobody knows that name. */
export function sign(name) {
  const label = name.replaceAll("_", " ");
  if (name in CIRCLES) return picture(CIRCLES[name], label, circle(CIRCLES[name]));
  if (name in DRAWN) return picture(DRAWN[name][0], label, svg("path", { d: DRAWN[name][1] }));
  if (!(name in CHARACTERS)) return null;
  return el("span", { class: "emoji", role: "img", "aria-label": label }, CHARACTERS[name]);
}

export const signOfCharacter = (character) => sign(NAME_OF[character]);

function circle(tone) {
  return svg("circle", { cx: 8, cy: 8, r: tone === "hollow" ? 5.4 : 6, class: "disc" });
}

function picture(tone, label, shape) {
  const box = { viewBox: "0 0 16 16", class: `sign ${tone}`, role: "img", "aria-label": label };
  return svg("svg", box, shape);
}

/** The colour of the first sign in a text, which becomes the colour of the card's edge. */
export function toneOf(text) {
  const found = new RegExp(`:([a-z0-9_+-]+):|(${SIGN_CHARACTERS})`).exec(text ?? "");
  if (found === null) return null;
  const name = found[1] ?? NAME_OF[found[2]];
  return CIRCLES[name] ?? (name in DRAWN ? DRAWN[name][0] : null);
}
