import { escapeXml, shorten } from "./svg-text.ts";

/*
 * A badge: a label and a value beside each other, as an SVG image of its own. Pure attributes, no style and no script: a
 * page's content policy has nothing to forbid.
 */

export type BadgeColour = "blue" | "green" | "grey";

const colours: Readonly<Record<BadgeColour, string>> = { blue: "#0b62a4", green: "#27672a", grey: "#5f6368" };

/** What stands before and behind each text, in pixels. */
const PADDING = 6;
/** Longer texts end in an ellipsis. */
const MAX_CHARACTERS = 60;

/** @param badge.value any text; it is escaped */
export function renderBadge({ label, value, colour }: { label: string; value: string; colour: BadgeColour }): string {
  const [left, right] = [shorten(label, MAX_CHARACTERS), shorten(value, MAX_CHARACTERS)];
  const [leftText, rightText] = [widthOf(left), widthOf(right)];
  const leftWidth = leftText + 2 * PADDING;
  const width = leftWidth + rightText + 2 * PADDING;
  const title = escapeXml(`${left}: ${right}`);
  const text = (x: number, length: number, content: string) =>
    `<text x="${x}" y="14" textLength="${length}" lengthAdjust="spacingAndGlyphs">${escapeXml(content)}</text>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="20" role="img" aria-label="${title}">`,
    `<title>${title}</title>`,
    `<clipPath id="r"><rect width="${width}" height="20" rx="3"/></clipPath>`,
    `<g clip-path="url(#r)"><rect width="${leftWidth}" height="20" fill="#3c4043"/>`,
    `<rect x="${leftWidth}" width="${width - leftWidth}" height="20" fill="${colours[colour]}"/></g>`,
    `<g fill="#fff" font-family="Verdana,Geneva,DejaVu Sans,sans-serif" font-size="11">`,
    text(PADDING, leftText, left),
    text(leftWidth + PADDING, rightText, right),
    "</g></svg>\n",
  ].join("");
}

/** Widths of Verdana's characters at 11 pixels, in tenths of one. Those that are not here are as wide as the widest letter. */
const widths: readonly (readonly [characters: string, tenths: number])[] = [
  ["ijl'|", 31],
  [" ,.:;-!I()[]/\\f", 43],
  ['tJrs"{}', 51],
  ["cz_?", 60],
  ["abdeghknopquvxy*Lk", 67],
  ["0123456789FETYZ$", 71],
  ["ABCKPRSUVX", 76],
  ["DGHNOQ&=+<>~#^", 87],
  ["mwMW%@…", 109],
];
const WIDEST = 109;

const widthOfCharacter = new Map(widths.flatMap(([characters, tenths]) => [...characters].map((one) => [one, tenths])));

/** As the renderer is told to make it, whatever fonts the reader has. */
function widthOf(text: string): number {
  const tenths = [...text].reduce((sum, character) => sum + (widthOfCharacter.get(character) ?? WIDEST), 0);
  return Math.ceil(tenths / 10);
}
