import type { StandardSchemaV1 } from "@standard-schema/spec";
import { PayloadError, toIssues } from "./errors.ts";

/**
 * Checks a value against any Standard Schema (zod, valibot, arktype, …) and returns the schema's output.
 *
 * @param what The name of what is checked, for the error's text: `event "user.registered"`.
 * @throws {PayloadError} with every issue and its path; a promise that rejects with it where the schema is asynchronous.
 * @see https://standardschema.dev
 */
export function validate(schema: StandardSchemaV1, value: unknown, what: string): unknown {
  const result = schema["~standard"].validate(value);
  if (result instanceof Promise) return result.then((settled) => outputOf(settled, what));
  return outputOf(result, what);
}

function outputOf(result: StandardSchemaV1.Result<unknown>, what: string): unknown {
  if (result.issues) throw new PayloadError(what, toIssues(result.issues));
  return result.value;
}
