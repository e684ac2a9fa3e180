import type { Reply } from "../commands/reply.ts";
import { FrameworkError } from "../errors.ts";

/** The first frame of a client: who it says it is, and where it wants to be. */
export interface Hello {
  readonly type: "hello";
  readonly token?: string;
  readonly channel?: string;
  readonly locale?: string;
}

/** Something that the client's user wrote. */
export interface Said {
  readonly type: "message";
  /** Chosen by the client, and the same when it sends the message again. */
  readonly id: string;
  readonly text: string;
}

/** What clients send. */
export type FrameIn = Hello | Said;

/** What clients get. */
export type FrameOut =
  | {
      readonly type: "welcome";
      readonly user: string;
      readonly channel: string | null;
      readonly roles: readonly string[];
    }
  /** The message has arrived; its reply follows. */
  | { readonly type: "ack"; readonly id: string }
  | ({ readonly type: "reply"; readonly id: string } & Omit<Reply, "error">)
  /** The message has come before, on another replica: it is not answered again. */
  | { readonly type: "duplicate"; readonly id: string }
  /** Said by the app on its own. */
  | { readonly type: "notice"; readonly text: string }
  | { readonly type: "error"; readonly code: string; readonly message: string };

/** What a client is told that did something wrong. */
export class ChatProblem extends FrameworkError {
  /** Why its connection is closed; undefined when it stays. */
  readonly close: number | undefined;

  constructor(code: string, message: string, close?: number) {
    super(code, message);
    this.close = close;
  }
}

const LONGEST_ID = 128;
const FIELDS: Readonly<Record<string, Readonly<Record<string, "must" | "may">>>> = {
  hello: { token: "may", channel: "may", locale: "may" },
  message: { id: "must", text: "must" },
};

/** Reads what a client sent. @throws {ChatProblem} `FRAME_INVALID` with what is wrong with it. */
export function readFrame(text: string): FrameIn {
  const frame = objectIn(text);
  const type = frame["type"];
  const fields = typeof type === "string" && Object.hasOwn(FIELDS, type) ? FIELDS[type] : undefined;
  if (!fields) throw invalid(`its type must be ${Object.keys(FIELDS).join(" or ")}`);
  for (const [name, value] of Object.entries(frame)) {
    if (name === "type") continue;
    if (!Object.hasOwn(fields, name)) {
      throw invalid(`${JSON.stringify(name)} is not known; there are ${Object.keys(fields).join(", ")}`);
    }
    if (typeof value !== "string") throw invalid(`${name} must be text`);
  }
  for (const [name, need] of Object.entries(fields))
    if (need === "must" && frame[name] === undefined) throw invalid(`${name} is missing`);
  const { id } = frame as { id?: string };
  if (id !== undefined && (id === "" || id.length > LONGEST_ID))
    throw invalid(`id must have from 1 to ${LONGEST_ID} characters`);
  return frame as unknown as FrameIn; // just checked, field by field
}

/** Writes a frame; of a reply whose data JSON cannot hold, all but that. */
export function writeFrame(frame: FrameOut): string {
  try {
    return JSON.stringify(frame);
  } catch {
    return JSON.stringify({ ...frame, data: undefined });
  }
}

function objectIn(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid("it is not JSON");
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw invalid('it must be an object such as { "type": "message", "id": "1", "text": "/help" }');
}

function invalid(why: string): ChatProblem {
  return new ChatProblem("FRAME_INVALID", `The frame is not acceptable: ${why}.`);
}
