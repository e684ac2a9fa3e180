import type { Row, Unit } from "./row.ts";

/** A row and the question it belongs to. */
export interface Answer extends Row {
  readonly question: string;
}

const HEAD = ["question", "row", "ours", "best peer", "limit", "ours/limit", "vs peer", "goal", "ok"];

/** The table as text. "vs peer" says how many times better ours is than the best peer: below 1 it is worse. */
export function tableOf(answers: readonly Answer[]): string {
  const lines = [HEAD, ...answers.map(cells)];
  const widths = HEAD.map((_, at) => Math.max(...lines.map((line) => (line[at] ?? "").length)));
  const text = lines.map((line) =>
    line
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  text.splice(1, 0, widths.map((width) => "─".repeat(width)).join("  "));
  return text.join("\n");
}

function cells(answer: Answer): string[] {
  const { question, row, unit, ours, limit, goal, ok } = answer;
  const [name, best] = bestPeer(answer) ?? [];
  return [
    question,
    row,
    figure(ours, unit),
    name === undefined || best === undefined ? "–" : `${figure(best, unit)} ${name}`,
    figure(limit, unit),
    limit === undefined ? "–" : (ours / limit).toFixed(2),
    best === undefined ? "–" : `${short(unit === "/s" ? ours / best : best / ours)}×`,
    goal ?? "–",
    ok === undefined ? "–" : ok ? "yes" : "NO",
  ];
}

function bestPeer({ peers, unit }: Answer): [string, number] | undefined {
  return Object.entries(peers).toSorted(([, a], [, b]) => (unit === "/s" ? b - a : a - b))[0];
}

function figure(value: number | undefined, unit: Unit): string {
  if (value === undefined) return "–";
  const [scaled, suffix] =
    value >= 1e6 ? [value / 1e6, "M"] : value >= 1e4 ? [value / 1e3, "k"] : [value, ""];
  return unit === "/s" ? `${short(scaled)}${suffix}/s` : `${short(scaled)}${suffix} ${unit}`;
}

/** Three digits. */
function short(value: number): string {
  return value >= 100 ? value.toFixed(0) : Number(value.toPrecision(3)).toString();
}
