import { seededRandom } from "../../src/testing/seeded-random.ts";

const LINES = 2_000;
const MESSAGES = [
  "Accepted password for ann from 10.{a}.{b}.17 port {c} ssh2",
  "connection from 192.168.{a}.{b} port {c} closed by remote host after {a} ms",
  'GET /api/v1/orders/{c}?page={a} 200 {b}ms "Mozilla/5.0 (X11; Linux x86_64)"',
  "block blk_{c}{a} replicated to 3 nodes in {b} ms, {a} bytes left in the queue",
  "Executor: Finished task {a}.0 in stage {b}.0 (TID {c}). {a}{b} bytes result sent to driver",
  "session opened for user root by (uid=0), worker {a} of {b}, request id {c}",
];
const HOSTS = ["web-1", "web-2", "db-primary", "queue", "LabSZ"];

/** So many patterns as a log monitor has: each has a literal of its own, and wants something of what stands around it. */
export function patterns(count: number): RegExp[] {
  return Array.from({ length: count }, (_, n) => {
    const id = n * 7 + 1_000;
    const forms = [
      `user-${id} failed with code (\\d+)`,
      `(?:ERROR|WARN) service${id}: (?<what>.*)`,
      `job\\[${id}\\] took (\\d+)ms`,
      `^\\S+ \\S+ node-${id}\\.example\\.com `,
      `timeout of ${id} ms .* retry (?<retry>\\d+)`,
    ];
    return new RegExp(forms[n % forms.length] as string, n % 10 === 3 ? "i" : ""); // one of the five
  });
}

/** Patterns that require nothing that is rare. */
export function withoutLiteral(): RegExp[] {
  return [
    /^\s*$/,
    /^\d{4}-\d{2}-\d{2}$/,
    /\b[A-Z]{9,}\b/,
    /^[a-z]+$/,
    /^\s+at\s/,
    /(\w)(\d{7})$/,
    /^[A-Z][a-z]+:$/,
    /\s{3,}$/,
    /^\W+$/,
    /^[^ ]+$/,
  ];
}

/** Log lines, one in a hundred of which one of `patterns(count)` matches. */
export function lines(count: number): string[] {
  const random = seededRandom(7);
  const below = (limit: number): number => Math.floor(random() * limit);
  return Array.from({ length: LINES }, (_, n) => {
    const stamp = `2026-11-${10 + below(20)} ${10 + below(14)}:${10 + below(50)}:${10 + below(50)},${100 + below(900)}`;
    const message = (MESSAGES[below(MESSAGES.length)] as string) // below its length
      .replaceAll("{a}", () => String(below(250)))
      .replaceAll("{b}", () => String(below(90)))
      .replaceAll("{c}", () => String(10_000 + below(50_000)));
    const hit = n % 100 === 0 ? ` ${hitFor((n * 5) % count)}` : "";
    return `${stamp} ${HOSTS[below(HOSTS.length)]} app[${below(30_000)}]: INFO ${message}${hit}`;
  });
}

/** What the pattern of this number finds; only the first and third form can stand at the end of a line. */
function hitFor(number: number): string {
  const first = number - (number % 5);
  return `user-${first * 7 + 1_000} failed with code 12`;
}
