import type { StandardSchemaV1 } from "@standard-schema/spec";

/**
 * An event: its name, its schema, and through them the type of its payload. Made by `defineEvent`.
 * `In` is what publishers give, `Out` what the schema makes of it and handlers get.
 */
export interface EventType<In = unknown, Out = In> {
  readonly name: string;
  readonly schema: StandardSchemaV1<In, Out> | undefined;
}

/**
 * The type that handlers of an event get.
 * @example
 * class Mail { @on(UserRegistered) async greet(user: PayloadOf<typeof UserRegistered>) {} }
 */
export type PayloadOf<E> = E extends EventType<infer _In, infer Out> ? Out : never;
