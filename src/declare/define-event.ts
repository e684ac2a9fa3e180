import type { StandardSchemaV1 } from "@standard-schema/spec";
import { DeclarationError } from "../errors.ts";
import type { EventType } from "../event-type.ts";
import { isPattern, topicFault } from "../topic.ts";

/**
 * Describes an event once: its payload, `publish`, `trigger` and every handler are typed and checked from it.
 *
 * @param name Dotted segments, `"user.registered"`; no stars.
 * @param schema Any Standard Schema (zod, valibot, arktype, …). Without one the payload is not checked, and its type is
 *   the type parameter's.
 * @throws {DeclarationError} `EVENT_NAME_INVALID`.
 * @example
 * const UserRegistered = defineEvent("user.registered", z.object({ email: z.email() }));
 * const Ping = defineEvent<{ from: string }>("ping");
 */
export function defineEvent<S extends StandardSchemaV1>(
  name: string,
  schema: S,
): EventType<StandardSchemaV1.InferInput<S>, StandardSchemaV1.InferOutput<S>>;
export function defineEvent<Payload = unknown>(name: string): EventType<Payload>;
export function defineEvent(name: string, schema?: StandardSchemaV1): EventType {
  const fault =
    typeof name !== "string" ? "is not a string" : isPattern(name) ? "has a star in it" : topicFault(name);
  if (fault) {
    throw new DeclarationError(
      "EVENT_NAME_INVALID",
      `The event name ${JSON.stringify(name)} ${fault}. Write dotted segments, such as "user.registered".`,
    );
  }
  if (
    schema !== undefined &&
    typeof (schema as Partial<StandardSchemaV1>)["~standard"]?.validate !== "function"
  ) {
    throw new DeclarationError(
      "SCHEMA_INVALID",
      `The schema of event "${name}" is not a Standard Schema. Use zod 3.24+, valibot 1+, arktype 2+, or see https://standardschema.dev.`,
    );
  }
  return Object.freeze({ name, schema });
}
