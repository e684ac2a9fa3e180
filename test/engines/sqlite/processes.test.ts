import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import type { Claim } from "../../../src/engine.ts";
import { message, newPath, startEngine, until } from "./data-dir.ts";
import { Replica } from "./replica.ts";

const WANT = [{ handler: "h", limit: 100 }];

describe("a process that is killed with -9", () => {
  test("loses nothing that was acknowledged", async () => {
    const path = await newPath();
    const child = await Replica.start(path);
    child.tell({ do: "publishForever" });
    await until("some messages are acknowledged", () => child.acknowledged.length > 200);
    await child.kill();
    const engine = await startEngine(path);
    const stored = new Set((await engine.queue.list({ limit: 1_000_000 })).map(({ id }) => id));
    expect(child.acknowledged.filter((id) => !stored.has(id))).toEqual([]);
    const db = new DatabaseSync(path, { readOnly: true });
    expect(db.prepare("pragma integrity_check").get()).toEqual({ integrity_check: "ok" });
    db.close();
  });

  test("gives what it held to the next that starts, at once and with the attempt counted", async () => {
    const path = await newPath();
    const child = await Replica.start(path);
    await child.ask({ do: "publish", messages: [message(), message(), message({ key: "k" })] });
    const held = await child.ask<Claim[]>({ do: "claim", limit: 10 });
    expect(held).toHaveLength(3);
    await child.kill();
    const engine = await startEngine(path);
    const { claims } = await engine.queue.claim(WANT);
    expect(claims.map(({ id, attempt }) => [id, attempt])).toEqual(held.map(({ id }) => [id, 2]));
    expect(await engine.presence.instances()).toHaveLength(1);
  });

  test("is found by the sweep of a neighbour, which lets the living alone", async () => {
    const path = await newPath();
    const engine = await startEngine(path);
    const [dying, living] = [await Replica.start(path), await Replica.start(path)];
    await engine.queue.publish([message(), message()]);
    await dying.ask({ do: "claim", limit: 1 });
    await living.ask({ do: "claim", limit: 1 });
    await dying.kill();
    expect(await engine.presence.sweep()).toBe(1);
    expect(await engine.presence.sweep()).toBe(0);
    expect(await engine.presence.instances()).toHaveLength(2);
  });
});

describe("several processes on one file", () => {
  test("share the work: each message is handled once, by somebody", async () => {
    const path = await newPath();
    const replicas = await Promise.all([Replica.start(path), Replica.start(path), Replica.start(path)]);
    await Promise.all(
      replicas.map((replica) =>
        replica.ask({ do: "publish", messages: Array.from({ length: 200 }, () => message()) }),
      ),
    );
    const handled = await Promise.all(replicas.map((replica) => replica.ask<Claim[]>({ do: "work" })));
    const ids = handled.flat().map(({ id }) => id);
    expect(ids).toHaveLength(600);
    expect(new Set(ids).size).toBe(600);
  });

  test("of those that publish one dedupe key at once, one stores it", async () => {
    const path = await newPath();
    const replicas = await Promise.all([Replica.start(path), Replica.start(path), Replica.start(path)]);
    const once = message({ dedupe: { key: "order-1", until: Date.now() + 60_000 } });
    const answers = await Promise.all(
      replicas.map((replica) =>
        replica.ask<{ id: string; duplicate: boolean }[]>({ do: "publish", messages: [once] }),
      ),
    );
    expect(new Set(answers.flat().map(({ id }) => id)).size).toBe(1);
    expect(answers.flat().filter(({ duplicate }) => !duplicate)).toHaveLength(1);
  });

  test("keep the order of a key", async () => {
    const path = await newPath();
    const engine = await startEngine(path);
    const replicas = await Promise.all([Replica.start(path), Replica.start(path)]);
    await engine.queue.publish(
      Array.from({ length: 20 }, (_, n) => message({ key: "k", payload: String(n) })),
    );
    // While one holds the first, the others get nothing of its key.
    const [first] = (await engine.queue.claim(WANT)).claims;
    const others = await Promise.all(replicas.map((replica) => replica.ask<Claim[]>({ do: "work" })));
    expect(others.flat()).toEqual([]);
    if (first) await engine.queue.settle([{ claim: first, kind: "done" }]);
    const order: number[] = [];
    while (order.length < 19) {
      const done = await Promise.all(replicas.map((replica) => replica.ask<Claim[]>({ do: "work" })));
      // Each worked off a row of neighbours; whose came first, the numbers say.
      order.push(...done.flat().map(({ payload }) => Number(payload)));
    }
    expect(first?.payload).toBe("0");
    expect(order.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 19 }, (_, n) => n + 1));
  });

  test("wake each other without polling", async () => {
    const path = await newPath();
    const engine = await startEngine(path);
    const child = await Replica.start(path);
    let wakes = 0;
    const end = engine.queue.onWake(() => wakes++);
    const waits: number[] = [];
    for (let round = 0; round < 5; round++) {
      wakes = 0;
      const start = performance.now();
      child.tell({ do: "publish", messages: [message()] });
      for (let claimed = 0; claimed === 0;) {
        // A second look at the last round's file may wake it once more, before there is anything new.
        await until("woken", () => wakes > 0);
        wakes = 0;
        claimed = (await engine.queue.claim(WANT)).claims.length;
      }
      waits.push(performance.now() - start);
    }
    // The slow look comes each second; a notice is there within milliseconds.
    expect(Math.min(...waits)).toBeLessThan(250);
    end();
  });

  test("hear each other's signals, those that listen and no others", async () => {
    const path = await newPath();
    const engine = await startEngine(path);
    const child = await Replica.start(path);
    await child.ask({ do: "send", channel: "c", body: "before anybody listened" });
    const heard: string[] = [];
    engine.signals.listen("c", (body) => heard.push(body));
    await child.ask({ do: "send", channel: "other", body: "elsewhere" });
    await child.ask({ do: "send", channel: "c", body: "hello" });
    await until("heard", () => heard.length > 0);
    expect(heard).toEqual(["hello"]);
  });

  test("one that stops gives back what it held, without spending the attempt", async () => {
    const path = await newPath();
    const engine = await startEngine(path);
    const child = await Replica.start(path);
    await engine.queue.publish([message()]);
    await child.ask({ do: "claim", limit: 1 });
    await child.ask({ do: "stop" });
    const { claims } = await engine.queue.claim(WANT);
    expect(claims.map(({ attempt }) => attempt)).toEqual([1]);
  });
});
