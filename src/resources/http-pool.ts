import { type Duration, toMs } from "../duration.ts";

/** Options of {@link httpPool}. */
export interface HttpPoolOptions {
  /** How many connections to one origin are open at the most. @default 100 */
  readonly connections?: number;
  /** How long a request may take until its headers have come. @default "30s" */
  readonly timeout?: Duration;
}

/** Connections that handlers share. */
export interface HttpPool {
  /** As the global `fetch`, over the pool's connections. */
  fetch(url: string | URL, init?: RequestInit): Promise<Response>;
  /** Waits for requests under way and closes all connections; the app does it when its handlers are done. */
  close(): Promise<void>;
}

/**
 * A service that gives handlers a bounded number of kept-alive HTTP connections.
 *
 * @example
 * const app = createApp({ services: { http: httpPool({ connections: 100 }) } });
 * on("page.requested").execute(async (page: { url: string }, { services, signal }) =>
 *   (await services.http.fetch(page.url, { signal })).text());
 */
export function httpPool({
  connections = 100,
  timeout = "30s",
}: HttpPoolOptions = {}): () => Promise<HttpPool> {
  const headersTimeout = toMs(timeout, "httpPool: timeout");
  return async () => {
    const { Agent, fetch } = await import("undici");
    const agent = new Agent({ connections, headersTimeout });
    return {
      // undici's own types of the same web standard differ from the global ones in name only.
      fetch: (url, init) =>
        fetch(url, { ...(init as object), dispatcher: agent }) as unknown as Promise<Response>,
      close: () => agent.close(),
    };
  };
}
