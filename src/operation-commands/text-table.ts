/** What is longer is cut in a cell. */
const WIDEST = 48;
/** What fits a chat message. */
const MOST_ROWS = 50;

/**
 * Columns of equal width below their headings, for a font whose characters are all as wide, Chinese ones twice.
 *
 * @param columns Cells by heading; columns without a single word in them are left out.
 * @param more The line below rows that were cut.
 */
export function textTable(
  columns: Readonly<Record<string, readonly string[]>>,
  more: (left: number) => string,
): string {
  const told = Object.entries(columns).filter(([, cells]) => cells.some((cell) => cell !== ""));
  const count = told[0]?.[1].length ?? 0;
  const lists = told.map(([heading, cells]) => [heading, ...cells.slice(0, MOST_ROWS).map(cellOf)]);
  const widths = lists.map((cells) => Math.max(...cells.map(widthOf)));
  const rows = (lists[0] ?? []).map((_, row) =>
    lists
      .map((cells, at) => padded(cells[row] ?? "", widths[at] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  if (count > MOST_ROWS) rows.push(more(count - MOST_ROWS));
  return rows.join("\n");
}

/** Names and values, one pair a line. Pairs without a value are left out. */
export function textPairs(pairs: Readonly<Record<string, string | undefined>>): string {
  const told = Object.entries(pairs).filter(([, value]) => value !== undefined && value !== "");
  const width = Math.max(...told.map(([name]) => widthOf(name)));
  return told.map(([name, value = ""]) => `${padded(name, width)}  ${oneLine(value)}`).join("\n");
}

/** How many columns of a terminal a text takes. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += WIDE.test(character) ? 2 : 1;
  return width;
}

/** Hangul, Chinese, Japanese, full-width forms, and emoji. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Extended_Pictographic}/u;

function padded(text: string, width: number): string {
  return text + " ".repeat(width - widthOf(text));
}

/** As much of a text as fits a width, without half a character at its end. */
function firstOf(text: string, width: number): string {
  let left = width;
  let end = 0;
  for (const character of text) {
    left -= widthOf(character);
    if (left < 0) break;
    end += character.length;
  }
  return text.slice(0, end);
}

/** A text from elsewhere on one line: payloads and errors are anybody's. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, " ").trim();
}

function cellOf(text: string): string {
  const line = oneLine(text);
  if (line === "") return "-";
  return widthOf(line) <= WIDEST ? line : `${firstOf(line, WIDEST - 1)}…`;
}
