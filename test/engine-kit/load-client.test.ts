import { expect, test } from "vitest";
import { loadClient } from "../../src/engine-kit/load-client.ts";

test("a client that is not installed is refused with the command that installs it", async () => {
  const name = "no-such-client";
  await expect(loadClient("redis", name, () => import(name))).rejects.toMatchObject({
    code: "ENGINE_CLIENT_MISSING",
    message: expect.stringContaining("npm install no-such-client"),
  });
});

test("a client that fails on its own account fails with its own error", async () => {
  const broken = new Error("cannot read its settings");
  await expect(loadClient("redis", "ioredis", () => Promise.reject(broken))).rejects.toBe(broken);
});
