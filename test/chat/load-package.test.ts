import { expect, test } from "vitest";
import { loadPackage } from "../../src/chat/load-package.ts";

test("a package that is not installed is refused with the command that installs it", async () => {
  const name = "no-such-package";
  await expect(loadPackage("webSocketChat", name, () => import(name))).rejects.toMatchObject({
    code: "CHAT_PACKAGE_MISSING",
    message: expect.stringContaining("npm install no-such-package"),
  });
});

test("a package that fails on its own account fails with its own error", async () => {
  const broken = new Error("cannot read its settings");
  await expect(loadPackage("webSocketChat", "ws", () => Promise.reject(broken))).rejects.toBe(broken);
});
