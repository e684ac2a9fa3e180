import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import { isCluster, listenerOf, makeClient } from "../../../src/engines/redis/client.ts";
import { placeOf } from "../../../src/engines/redis/place.ts";
import { freePort } from "./private-server.ts";

test("a second error of a connection that has failed ends no process", async () => {
  const client = await makeClient(placeOf(`redis://127.0.0.1:${await freePort()}`));
  if (isCluster(client)) throw new Error("one server was named");
  const listener = listenerOf(client);
  for (const connection of [client, listener]) {
    onTestFinished(() => connection.disconnect());
    await once(connection, "error").catch(() => {}); // once itself rejects with it
    const { stream } = connection;
    expect(() => stream.emit("error", new Error("again"))).not.toThrow();
    expect(() => stream.emit("error", new Error("and again"))).not.toThrow();
  }
});
