/* The peers say how many patterns match a line. */
import { load, peersOf } from "../measure/peers.ts";

/** Answers how many patterns match, or at least whether any does. */
export type Count = (line: string) => number;

interface Re2Set {
  add(source: string): number;
  compile(): void;
  match(text: string): readonly number[];
}
interface Re2Js {
  readonly RE2Set: new () => Re2Set;
  readonly RE2JS: { compile(source: string): { matcher(text: string): { find(): boolean } } };
}
interface NativeSet {
  match(text: string): readonly number[];
}

/** What does the same work. */
export function patternPeers(
  all: readonly RegExp[],
  options: { readonly peers: boolean },
): Promise<Record<string, Count>> {
  return peersOf(
    {
      "RegExp loop": async () => (line: string) => {
        let found = 0;
        for (const pattern of all) if (pattern.test(line)) found++;
        return found;
      },
      "one alternation": async () => {
        // Names of groups may not repeat, and flags hold for all.
        const one = new RegExp(
          all.map((pattern) => `(?:${pattern.source.replaceAll(/\(\?<\w+>/g, "(")})`).join("|"),
        );
        return (line: string) => (one.test(line) ? 1 : 0);
      },
      "re2js set": async () => {
        const { RE2Set } = await load<Re2Js>("re2js");
        const set = new RE2Set();
        for (const pattern of all) set.add(inRe2(pattern));
        set.compile();
        return (line: string) => set.match(line).length;
      },
      "native re2 set": async () => {
        type Native = { readonly Set: new (patterns: readonly string[]) => NativeSet };
        const { default: RE2 } = await load<{ default: Native }>("re2");
        const set = new RE2.Set(all.map(inRe2));
        return (line: string) => set.match(line).length;
      },
    },
    options,
  );
}

/** Those who search for `^(a+)+$` in a text that is made for it, and come back. */
export function attackPeers(options: {
  readonly peers: boolean;
}): Promise<Record<string, (text: string) => boolean>> {
  return peersOf(
    {
      re2js: async () => {
        const { RE2JS } = await load<Re2Js>("re2js");
        const pattern = RE2JS.compile("^(a+)+$");
        return (text: string) => pattern.matcher(text).find();
      },
      "native re2": async () => {
        const { default: RE2 } = await load<{
          default: new (source: string) => { test(text: string): boolean };
        }>("re2");
        const pattern = new RE2("^(a+)+$");
        return (text: string) => pattern.test(text);
      },
    },
    options,
  );
}

function inRe2({ source, flags }: RegExp): string {
  return (flags.includes("i") ? "(?i)" : "") + source;
}
