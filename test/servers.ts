import { connect } from "node:net";

/*
 * The servers that tests of server engines need: on loopback, unless an environment variable says where.
 * Where one does not answer its tests are skipped, with the reason in their title; with REQUIRE_SERVERS=1 they fail.
 */

/** Where a server answers, or why its tests are skipped. */
export interface TestServer {
  readonly url: string;
  /** Empty when it answers; else for the title of what is skipped. */
  readonly absent: string;
}

const URLS = {
  POSTGRES_URL: "postgres://root@127.0.0.1:5432/test",
  REDIS_URL: "redis://127.0.0.1:6379",
} as const;

/** @param name The variable that says where it is, `TEST_` before it. */
export async function testServer(name: keyof typeof URLS): Promise<TestServer> {
  const url = process.env[`TEST_${name}`] ?? URLS[name];
  if (await answers(url)) return { url, absent: "" };
  const absent = `no server answers at ${new URL(url).host}: start one, or set TEST_${name}`;
  if (process.env["REQUIRE_SERVERS"] === "1") throw new Error(absent);
  return { url, absent: ` (skipped: ${absent})` };
}

function answers(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    const end = (yes: boolean) => {
      socket.destroy();
      resolve(yes);
    };
    socket.once("connect", () => end(true)).once("error", () => end(false));
    socket.setTimeout(2_000, () => end(false));
  });
}
