import type { IncomingHttpHeaders } from "node:http";

/** A client that wants to come in. */
export interface Knock {
  /** What it sent as its token. */
  readonly token: string | undefined;
  /** Where it wants to be. Whether it may is for `authenticate` to say. */
  readonly channel: string | undefined;
  readonly locale: string | undefined;
  /** Of the request with which it connected. */
  readonly headers: IncomingHttpHeaders;
  readonly address: string | undefined;
}

/** Who a client is. */
export interface Identity {
  readonly user: string;
  readonly roles?: readonly string[];
  /** Where it is; what it wished counts for nothing unless it is repeated here. */
  readonly channel?: string | undefined;
  /** @default what the client said */
  readonly locale?: string | undefined;
}
