/** Where the class that begins at `at` has ended. With the `v` flag classes stand in classes. */
export function endOfClass(source: string, at: number, nested: boolean): number {
  let depth = 0;
  for (let here = at; here < source.length; here++) {
    const char = source[here];
    if (char === "\\") here++;
    else if (char === "[" && (nested || depth === 0)) depth++;
    else if (char === "]" && --depth === 0) return here + 1;
  }
  return source.length;
}

/** How many groups a pattern has, the whole match counted as one, and whether any of them has a name. */
export function groupsIn(
  source: string,
  nested: boolean,
): { readonly count: number; readonly named: boolean } {
  let count = 1;
  let named = false;
  for (let at = 0; at < source.length; at++) {
    const char = source[at];
    if (char === "\\") at++;
    else if (char === "[") at = endOfClass(source, at, nested) - 1;
    else if (char === "(") {
      const isNamed = /^\?<[^=!]/.test(source.slice(at + 1, at + 4));
      if (isNamed || source[at + 1] !== "?") count++;
      named ||= isNamed;
    }
  }
  return { count, named };
}
