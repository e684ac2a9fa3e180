import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import type { Engine } from "../../../src/engine.ts";
import { redisEngine } from "../../../src/engines/redis/engine.ts";
import { freePort, noBinary, PrivateServer } from "./private-server.ts";

/** A server that speaks TLS with a certificate it has signed itself. */
async function serve(): Promise<{ readonly url: string; readonly certificate: string }> {
  const directory = mkdtempSync(join(tmpdir(), "redis-tls-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const [key, certificate] = [join(directory, "key.pem"), join(directory, "certificate.pem")];
  const what = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=test";
  const names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate];
  const made = spawnSync("openssl", [...what.split(" "), ...names]);
  if (made.status !== 0) throw new Error(`openssl: ${String(made.stderr)}`);
  const port = await freePort();
  const files = ["--tls-cert-file", certificate, "--tls-key-file", key, "--tls-ca-cert-file", certificate];
  const server = await PrivateServer.start(["--tls-port", `${port}`, "--tls-auth-clients", "no", ...files]);
  onTestFinished(() => server.dispose());
  return { url: `rediss://127.0.0.1:${port}?timeout=2s`, certificate: readFileSync(certificate, "utf8") };
}

async function start(url: string): Promise<Engine> {
  const engine = redisEngine(url);
  onTestFinished(() => engine.stop());
  const instance = { id: randomUUID(), host: "host", pid: process.pid, version: "1", startedAt: Date.now() };
  await engine.start({ clock: systemClock, instance, lease: 30_000 });
  return engine;
}

describe.skipIf(noBinary !== "")(`a server over TLS${noBinary}`, () => {
  test("is refused while its certificate is not trusted, and used when it is", async () => {
    const { url, certificate } = await serve();
    await expect(start(url)).rejects.toThrow(/self-signed certificate/);
    const before = getCACertificates("default");
    onTestFinished(() => setDefaultCACertificates(before));
    setDefaultCACertificates([...before, certificate]);
    const engine = await start(url);
    await engine.check();
    await engine.state.set("k", "v");
    expect(await engine.state.get("k")).toBe("v");
  });

  test("is not reached without TLS", async () => {
    const { url } = await serve();
    await expect(start(url.replace("rediss:", "redis:"))).rejects.toMatchObject({
      code: "ENGINE_UNAVAILABLE",
    });
  });
});
