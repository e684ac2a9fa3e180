const HIDDEN = "[hidden]";
/** What the name of a field that holds a secret says, in whatever case and with whatever between its words. */
const SECRET =
  /^(?:.*(?:password|passwd|secret|apikey|accesskey|privatekey|authtoken|accesstoken|refreshtoken)|pwd|.*authorization|cookie|setcookie|token|tokens|apitokens?|xapikey|credentials?)$/;
const CUT = "[deeper]";
/** No line of a log needs to go deeper, and what has a circle in it must end somewhere. */
const DEEPEST = 8;

/** Names come again with every line; each is looked at once. */
const known = new Map<string, boolean>();
const KNOWN = 2_000;

/**
 * The same fields with secrets hidden, at any depth, and errors as objects that JSON can show; fields with neither come
 * back as they are, uncopied.
 * @example
 * hideSecrets({ user: "alice", headers: { Authorization: "Bearer …" } }); // { user: "alice", headers: { Authorization: "[hidden]" } }
 */
export function hideSecrets<T extends object>(fields: T): T {
  return hideIn(fields, 0) as T; // what is replaced are values of secret fields, which nothing reads but the log
}

function hideIn(fields: object, depth: number): object {
  let copy: Record<string, unknown> | undefined;
  for (const [name, value] of Object.entries(fields)) {
    const shown = isSecret(name) && value !== undefined && value !== null ? HIDDEN : hideValue(value, depth);
    if (shown !== value) (copy ??= { ...fields })[name] = shown;
  }
  return copy ?? fields;
}

function hideValue(value: unknown, depth: number): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (depth >= DEEPEST) return CUT;
  if (Array.isArray(value)) {
    const shown = value.map((item) => hideValue(item, depth + 1));
    return shown.some((item, at) => item !== value[at]) ? shown : value;
  }
  if (value instanceof Error) return hideIn(describe(value), depth + 1);
  // Dates, buffers, URLs and their like say themselves how they are written.
  return "toJSON" in value ? value : hideIn(value, depth + 1);
}

/** Errors have no JSON of their own, and clients put whole requests into theirs. */
function describe(error: Error): object {
  const { message, stack, cause } = error;
  const errors: unknown = error instanceof AggregateError ? error.errors : undefined;
  return Object.assign({ type: error.name, message, stack, cause, errors }, error);
}

function isSecret(name: string): boolean {
  let secret = known.get(name);
  if (secret === undefined) {
    secret = SECRET.test(name.toLowerCase().replaceAll(/[^a-z]/g, ""));
    if (known.size >= KNOWN) known.clear();
    known.set(name, secret);
  }
  return secret;
}
