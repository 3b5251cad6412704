import { median } from "./measure.ts";

export type Unit = "MB/s" | "req/s" | "s" | "ms" | "MiB";

/** What is asked of a ratio of ours to the bare Worker's. */
export type Goal = { atLeast: number } | { atMost: number };

/** One line of the report. */
export interface Figure {
  name: string;
  unit: Unit;
  /** Every round's. */
  ours: number[];
  /** Empty where there is nothing to compare with. */
  bare: number[];
  goal: Goal | null;
}

/** Ours divided by the bare Worker's, both medians. Null where there is nothing to compare. */
export function ratioOf({ ours, bare }: Figure): number | null {
  return ours.length === 0 || bare.length === 0 ? null : median(ours) / median(bare);
}

export function isMet(figure: Figure): boolean | null {
  const ratio = ratioOf(figure);
  if (ratio === null || figure.goal === null) return null;
  return "atLeast" in figure.goal ? ratio >= figure.goal.atLeast : ratio <= figure.goal.atMost;
}

/** The cells of a line: what was measured, ours, the bare Worker's, their ratio, the goal, whether it is met. */
export function cellsOf(figure: Figure): string[] {
  const { name, ours, bare, goal } = figure;
  const ratio = ratioOf(figure);
  const met = isMet(figure);
  return [
    name,
    spread(ours, figure.unit),
    spread(bare, figure.unit),
    ratio === null ? "" : ratio.toFixed(2),
    goal === null ? "" : "atLeast" in goal ? `≥ ${goal.atLeast}` : `≤ ${goal.atMost}`,
    met === null ? "" : met ? "yes" : "**no**",
  ];
}

/** The median, and behind it the least and the most where there were several. */
function spread(numbers: number[], unit: Unit): string {
  if (numbers.length === 0) return "";
  const show = (value: number) => value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2);
  const ends = numbers.length === 1 ? "" : ` (${show(Math.min(...numbers))}–${show(Math.max(...numbers))})`;
  return `${show(median(numbers))} ${unit}${ends}`;
}
