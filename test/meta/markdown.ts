/** A block of code. */
export interface CodeBlock {
  readonly language: string;
  readonly text: string;
}

/** What tests look at in a page. */
export interface Page {
  readonly headings: readonly { readonly level: number; readonly text: string }[];
  readonly blocks: readonly CodeBlock[];
  /** Where links lead, as written. */
  readonly links: readonly string[];
  /** The cells of every row of every table, headings included. */
  readonly rows: readonly (readonly string[])[];
  /** How many items all lists have. */
  readonly items: number;
  /** What stands between backticks, outside of blocks. */
  readonly spans: readonly string[];
}

const BLOCK = /^```(\w*)\n([^]*?)^```$/gm;

/** Reads a page of Markdown. */
export function parsePage(text: string): Page {
  const blocks = [...text.matchAll(BLOCK)].map(([, language = "", code = ""]) => ({ language, text: code }));
  const prose = text.replace(BLOCK, "");
  return {
    headings: [...prose.matchAll(/^(#{1,6}) +(.+)$/gm)].map(([, marks = "", title = ""]) => ({
      level: marks.length,
      text: title.trim(),
    })),
    blocks,
    links: [...withoutSpans(prose).matchAll(/\]\(([^)\s]+)\)/g)].map(([, to = ""]) => to),
    rows: [...prose.matchAll(/^\|(.*)\|$/gm)].map(([, row = ""]) =>
      row.split(/(?<!\\)\|/).map((cell) => cell.trim()),
    ),
    items: [...prose.matchAll(/^ *(?:[-*]|\d+\.) +\S/gm)].length,
    spans: [...prose.matchAll(/`([^`\n]+)`/g)].map(([, span = ""]) => span),
  };
}

/** Code in backticks is no link, but may be the text of one. */
function withoutSpans(prose: string): string {
  return prose.replace(/`[^`\n]*`(\]?)/g, "$1");
}

/** What a heading's anchor is called on the web. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replaceAll(" ", "-");
}
