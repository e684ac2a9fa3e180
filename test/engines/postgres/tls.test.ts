import { describe, expect, onTestFinished, test } from "vitest";
import { message, until } from "../sqlite/data-dir.ts";
import { noOpenssl, selfSigned } from "./certificate.ts";
import { noBinary, PrivateServer } from "./private-server.ts";
import { ask, startEngine } from "./server.ts";

const absent = noBinary || noOpenssl;

describe.skipIf(absent !== "")(`TLS to the server${absent}`, () => {
  async function serve(settings: Readonly<Record<string, string>>): Promise<PrivateServer> {
    const own = await PrivateServer.start(settings);
    onTestFinished(() => own.dispose());
    return own;
  }
  const startOn = async (url: string): Promise<unknown> =>
    startEngine(url).then(
      () => "started",
      (error: unknown) => error,
    );

  test.for(["verify-full", "require", "no-verify"])(
    "with sslmode=%s all its sessions are encrypted",
    async (mode) => {
      const { certificate, key } = selfSigned();
      const own = await serve({ ssl: "on", ssl_cert_file: certificate, ssl_key_file: key });
      const named = own.url.replace("127.0.0.1", "localhost");
      // Whoever does not check needs no certificate.
      const trust = mode === "no-verify" ? "" : `&sslrootcert=${encodeURIComponent(certificate)}`;
      const url = `${named}?sslmode=${mode}${trust}&application_name=encrypted&connections=2`;
      const [engine, other] = [await startEngine(url), await startEngine(url)];
      let woken = false;
      other.queue.onWake(() => (woken = true));
      await Promise.all(Array.from({ length: 50 }, () => engine.queue.publish([message()])));
      await until("the other hears of it", () => woken);
      expect((await other.queue.claim([{ handler: "h", limit: 100 }])).claims).toHaveLength(50);
      const sessions = await ask(
        `select s.ssl from pg_stat_activity a join pg_stat_ssl s using (pid) where a.application_name = 'encrypted'`,
        [],
        own.url,
      );
      expect(sessions.length).toBeGreaterThanOrEqual(4);
      expect(new Set(sessions.flat())).toEqual(new Set([true]));
    },
  );

  test("a certificate that is not trusted, or is of another host, is refused, and the error says what to write", async () => {
    const { certificate, key } = selfSigned();
    const own = await serve({ ssl: "on", ssl_cert_file: certificate, ssl_key_file: key });
    const trust = `sslmode=verify-full&sslrootcert=${encodeURIComponent(certificate)}`;
    const denied = {
      code: "ENGINE_DENIED",
      retryable: false,
      message: expect.stringContaining("sslrootcert"),
    };
    expect(await startOn(`${own.url.replace("127.0.0.1", "localhost")}?sslmode=verify-full`)).toMatchObject(
      denied,
    );
    expect(await startOn(`${own.url}?${trust}`)).toMatchObject(denied);
  });

  test("a server without TLS, and a file that is not there, are told", async () => {
    const own = await serve({});
    expect(await startOn(`${own.url}?sslmode=verify-full`)).toMatchObject({
      code: "ENGINE_DENIED",
      message: expect.stringContaining("ssl = on"),
    });
    expect(await startOn(`${own.url}?sslmode=verify-full&sslrootcert=/no/such/file`)).toMatchObject({
      code: "ENGINE_FAILED",
      message: expect.stringContaining("a file that is not there"),
    });
  });
});
