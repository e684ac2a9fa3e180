import { randomBytes } from "node:crypto";
import pg from "pg";
import { onTestFinished } from "vitest";
import type { Engine, EngineStart } from "../../../src/engine.ts";
import { postgresEngine } from "../../../src/engines/postgres/engine.ts";
import { startOptions } from "../sqlite/data-dir.ts";
import { testServer } from "../../servers.ts";

export const server = await testServer("POSTGRES_URL");

/** The name of a schema that nobody has. */
export function newSchema(): string {
  return `df_test_${randomBytes(6).toString("hex")}`;
}

/** The URL of the test server with parameters for the engine. */
export function urlOf(schema: string, parameters: Readonly<Record<string, string>> = {}): string {
  const url = new URL(server.url);
  for (const [name, value] of Object.entries({ schema, ...parameters })) url.searchParams.set(name, value);
  return url.href;
}

/** Asks the server something, past the engine. */
export async function ask(text: string, values: unknown[] = [], url = server.url): Promise<unknown[][]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query({ text, values, rowMode: "array" })).rows as unknown[][];
  } finally {
    await client.end();
  }
}

export async function dropSchema(schema: string): Promise<void> {
  await ask(`set client_min_messages = warning; drop schema if exists ${schema} cascade`);
}

/** Removes all rows but those that say what schema it is. */
export async function clearSchema(schema: string): Promise<void> {
  await ask(`do $$ declare v_name text; begin
    for v_name in select tablename from pg_tables where schemaname = '${schema}' and tablename <> 'meta' loop
      execute format('delete from ${schema}.%I', v_name);
    end loop;
  end $$`);
}

/** A schema that goes with its test. */
export function testSchema(): string {
  const schema = newSchema();
  onTestFinished(() => dropSchema(schema));
  return schema;
}

/** An engine on a schema, with the handler `h` on the event `e`; stopped with its test. */
export async function startEngine(url: string, options: EngineStart = startOptions()): Promise<Engine> {
  const engine = postgresEngine(url);
  await engine.start(options);
  onTestFinished(() => engine.stop());
  await engine.queue.subscribe([{ handler: "h", topic: "e" }]);
  return engine;
}
