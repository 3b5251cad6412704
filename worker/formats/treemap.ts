import { escapeXml, shortBytes, shorten } from "./svg-text.ts";

/*
 * A treemap: a rectangle for each thing, as large as it is, as an SVG image of its own. Pure attributes, no style and no
 * script, as a badge.
 */

export interface Tile {
  name: string;
  bytes: number;
  /** Things of one group have one colour. */
  group: string;
}

interface Frame {
  x: number;
  y: number;
  width: number;
  height: number;
}

const WIDTH = 1200;
const HEIGHT = 800;
const PADDING = 6;
/** At 13 pixels: what is as wide as this holds its characters in most fonts; what is wider is cut off at the tile's edge. */
const CHARACTER = 8;
/** White is read on each of them: a contrast of 4.5 at least. */
const colours = ["#0b62a4", "#27672a", "#8a3b12", "#6b3fa0", "#9b1c4a", "#0d6170", "#5f5a00", "#4a5560"] as const;

/** @param of.tiles the largest first; those of no bytes have no place. @param of.title any text, as the names are */
export function renderTreemap({ title, tiles }: { title: string; tiles: readonly Tile[] }): string {
  const shown = tiles.filter(({ bytes }) => bytes > 0);
  const frames = squarify(
    shown.map(({ bytes }) => bytes),
    { x: 0, y: 0, width: WIDTH, height: HEIGHT },
  );
  const drawn = shown.map((tile, index) => drawTile(tile, frames[index] ?? { x: 0, y: 0, width: 0, height: 0 }));
  const nothing = `<text x="${WIDTH / 2}" y="${HEIGHT / 2}" text-anchor="middle" fill="#3c4043">Nothing takes any space.</text>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img"`,
    ` font-family="Verdana,Geneva,DejaVu Sans,sans-serif" font-size="13" aria-label="${escapeXml(title)}">`,
    `<title>${escapeXml(title)}</title><rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    drawn.length === 0 ? nothing : drawn.join(""),
    "</svg>\n",
  ].join("");
}

/** An `svg` in it cuts off what goes beyond. */
function drawTile({ name, bytes, group }: Tile, { x, y, width, height }: Frame): string {
  const size = shortBytes(bytes);
  const room = Math.floor((width - 2 * PADDING) / CHARACTER);
  // Half a number would be another one.
  const lines = [shorten(name, room), ...(size.length <= room ? [size] : [])];
  const texts = lines.map(
    (line, index) => `<text x="${PADDING}" y="${19 + index * 17}" fill="#fff">${escapeXml(line)}</text>`,
  );
  const fitting = room < 4 ? 0 : Math.max(0, Math.floor((height - PADDING) / 17));
  return [
    `<svg x="${short(x)}" y="${short(y)}" width="${short(width)}" height="${short(height)}">`,
    `<title>${escapeXml(`${name}: ${size}`)}</title>`,
    `<rect width="100%" height="100%" fill="${colourOf(group)}" stroke="#fff" stroke-width="2"/>`,
    ...texts.slice(0, fitting),
    "</svg>",
  ].join("");
}

/**
 * Frames whose areas are as the sizes, each about as wide as high: a row along the shorter side takes one more as long as
 * that makes its frames no longer and thinner (Bruls, Huizing and van Wijk, "Squarified Treemaps", 2000).
 * @param sizes above 0, the largest first
 */
export function squarify(sizes: readonly number[], frame: Frame): Frame[] {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const areas = sizes.map((size) => (size / total) * frame.width * frame.height);
  const frames: Frame[] = [];
  let left = frame;
  while (frames.length < areas.length) {
    const side = Math.min(left.width, left.height);
    let row = areas.slice(frames.length, frames.length + 1);
    while (frames.length + row.length < areas.length) {
      const longer = areas.slice(frames.length, frames.length + row.length + 1);
      if (longest(longer, side) > longest(row, side)) break;
      row = longer;
    }
    const placed = placeRow(row, left);
    frames.push(...placed.frames);
    left = placed.left;
  }
  return frames;
}

/** How many times longer than wide the worst of a row's frames is. */
function longest(row: readonly number[], side: number): number {
  const area = row.reduce((sum, one) => sum + one, 0);
  return Math.max(...row.map((one) => Math.max((side ** 2 * one) / area ** 2, area ** 2 / (side ** 2 * one))));
}

/** Puts a row along the shorter side of what is left. */
function placeRow(row: readonly number[], { x, y, width, height }: Frame): { frames: Frame[]; left: Frame } {
  const isColumn = width >= height;
  const side = isColumn ? height : width;
  // Sums of fractions may come out a little beyond what is left.
  const depth = Math.min(side > 0 ? row.reduce((sum, one) => sum + one, 0) / side : 0, isColumn ? width : height);
  let along = 0;
  const frames = row.map((area) => {
    const length = Math.min(depth > 0 ? area / depth : 0, side - along);
    const placed = isColumn
      ? { x, y: y + along, width: depth, height: length }
      : { x: x + along, y, width: length, height: depth };
    along += length;
    return placed;
  });
  const left = isColumn
    ? { x: x + depth, y, width: width - depth, height }
    : { x, y: y + depth, width, height: height - depth };
  return { frames, left };
}

function colourOf(group: string): string {
  const sum = [...group].reduce((before, one) => (before * 31 + (one.codePointAt(0) ?? 0)) % 65_521, 0);
  return colours[sum % colours.length] ?? colours[0];
}

function short(length: number): string {
  return String(Math.round(length * 100) / 100);
}
