import { VARIABLES } from "../../src/config-variables.ts";
import { type SourceFile, sourceFiles } from "./source-tree.ts";

/** A stable code, and the class whose errors have it. */
export interface ErrorCode {
  readonly code: string;
  readonly type: string;
}

/** Texts of this shape are codes of errors, unless {@link NO_CODES} or {@link NODE_CODE} says otherwise. */
const CODE = /"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)"/g;
/** What Node and the system call their errors. */
const NODE_CODE = /^(?:EAI|ERR)_[A-Z_]+$/;
/** Of the same shape, and something else: environment variables that are none of the app's. */
const NO_CODES = ["API_TOKEN", "NO_COLOR", "XDG_STATE_HOME"];

/** The `type` of a code that is written down, and that no error is made with. */
export const NO_CLASS = "no class";

/**
 * Every code in the source, with the class that gets it: `new TheError("CODE", …)`, `super("CODE", …)` in the class, or a
 * function of the same file that makes the error of whatever code it is given. A single word is a code only where an
 * error is made with it: other words in capitals are headings, signals, methods of HTTP.
 */
export function errorCodes(): ErrorCode[] {
  const known = new Set<string>([...NO_CODES, ...Object.values(VARIABLES).map(({ name }) => name)]);
  const found = sourceFiles()
    .filter(({ path }) => !path.startsWith("testing/conformance/"))
    .flatMap((file) => codesOf(file))
    .filter(({ code }) => !known.has(code) && !NODE_CODE.test(code));
  const made = new Set(found.flatMap(({ code, type }) => (type === NO_CLASS ? [] : [code])));
  // A code that some error is made with may stand elsewhere on its own, where errors are told apart.
  const own = found.filter(({ code, type }) => type !== NO_CLASS || !made.has(code));
  const unique = new Map(own.map((each) => [`${each.type} ${each.code}`, each]));
  return [...unique.values()].sort((a, b) => (a.code < b.code ? -1 : 1));
}

function codesOf({ text }: SourceFile): ErrorCode[] {
  const source = text.replace(/\/\*[^]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
  const makesAny = new RegExp(`new (\\w+)\\(\\s*${STATUS}code\\b`).exec(source)?.[1];
  return [...source.matchAll(CODE)].flatMap((match) => {
    const code = match[1] ?? "";
    const before = source.slice(0, match.index);
    const type =
      MADE.exec(before)?.[1] ??
      (/super\(\s*$|readonly code = $/.test(before) ? lastClass(before) : undefined);
    if (type === undefined && !code.includes("_")) return [];
    const isGiven = /[(,?:]\s*$/.test(before);
    return [{ code, type: type ?? (isGiven ? makesAny : undefined) ?? NO_CLASS }];
  });
}

/** What constructors take before the code: an exit code, or a status of HTTP. */
const STATUS = String.raw`(?:[\w.]+(?:\(\w*\))?,\s*)?`;
const MADE = new RegExp(`new (\\w+)\\(\\s*${STATUS}$`);

function lastClass(text: string): string | undefined {
  return [...text.matchAll(/class (\w+)/g)].at(-1)?.[1];
}
