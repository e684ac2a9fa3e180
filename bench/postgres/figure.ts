import pg from "pg";

export const EVENT = "user.registered";
export const HANDLER = "bench.handler";

/** Where the server is. Everything is done in schemas of its own, which are removed afterwards. */
export const SERVER = process.env["POSTGRES_URL"] ?? "postgres://root@127.0.0.1:5432/test";

export async function connect(): Promise<pg.Client> {
  const client = new pg.Client(SERVER);
  await client.connect();
  return client;
}

/** Runs something in a schema that is not there before nor after. */
export async function inSchema<T>(schema: string, run: () => Promise<T>): Promise<T> {
  const client = await connect();
  const drop = `set client_min_messages = warning; drop schema if exists ${schema} cascade`;
  try {
    await client.query(drop);
    return await run();
  } finally {
    await client.query(drop);
    await client.end();
  }
}
