import { EngineError } from "../../errors.ts";
import { CLAIM } from "./claim-script.ts";
import { CANCEL_SCRIPT, HAS_ANY } from "./deliveries.ts";
import { REVIVE_SCRIPT } from "./dead-letters.ts";
import { ACTIVATE_NEXT, ACTIVATE_PENDING, LOCK_KEYS, STATE_ON_RETURN } from "./key-order.ts";
import { LIMITS_SCRIPT } from "./limits.ts";
import { OPEN_SCRIPT } from "./open.ts";
import { LEAVE_SCRIPT, SWEEP_SCRIPT } from "./presence.ts";
import { KEY_INDEXES, MUST, NUMBER, PUBLISH, PUBLISH_ALIKE, PUBLISH_PLAIN } from "./publish-script.ts";
import { ROOM_SCRIPT } from "./room.ts";
import { FIRE_SCRIPT, RECORD_SCRIPT } from "./schedules.ts";
import { SEND_SCRIPT } from "./signals.ts";
import { GIVE_BACK, SETTLE, SETTLE_DONE } from "./settle-script.ts";
import type { ServerUrl } from "./server-url.ts";
import { READY, RUNNING, WAITING } from "./states.ts";
import { SUBSCRIBE_SCRIPT } from "./subscriptions.ts";
import { TABLES } from "./tables.ts";
import { TELL_OTHERS } from "./wakes.ts";

/** One step of the schema. */
interface Migration {
  readonly statements: readonly string[];
  /** The oldest version that can go on working with the schema after this step. */
  readonly oldest: number;
}

/**
 * The schema, step by step: entry N leads from version N to N + 1. Forward only; what was released is never changed.
 *
 * Replicas of older versions go on while a step is made: it may add columns with defaults, tables, indexes and functions,
 * but takes nothing away and changes no function. A function that changes gets the next number in its name, so that each
 * version calls its own. A step that cannot keep to that raises `oldest`, and older replicas stop with `ENGINE_SCHEMA`.
 */
export const MIGRATIONS: readonly Migration[] = [
  {
    oldest: 1,
    statements: [
      ...TABLES,
      `create index delivery_ready on {s}.delivery (sub, priority, seq) where state = ${READY}`,
      `create index delivery_waiting on {s}.delivery (until) where state = ${WAITING}`,
      `create index delivery_running on {s}.delivery (owner) where state = ${RUNNING}`,
      `create index delivery_message on {s}.delivery (message) where message is not null`,
      ...KEY_INDEXES,
      TELL_OTHERS,
      LOCK_KEYS,
      ACTIVATE_NEXT,
      ACTIVATE_PENDING,
      STATE_ON_RETURN,
      NUMBER,
      PUBLISH_ALIKE,
      PUBLISH_PLAIN,
      PUBLISH,
      MUST,
      CLAIM,
      SETTLE_DONE,
      SETTLE,
      GIVE_BACK,
      HAS_ANY,
      CANCEL_SCRIPT,
      REVIVE_SCRIPT,
      SUBSCRIBE_SCRIPT,
      SWEEP_SCRIPT,
      LEAVE_SCRIPT,
      FIRE_SCRIPT,
      RECORD_SCRIPT,
      SEND_SCRIPT,
      ...LIMITS_SCRIPT,
      OPEN_SCRIPT,
      ROOM_SCRIPT,
    ],
  },
];

/** The schema that this version of the framework writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/**
 * @param version The schema's; 0 where there is none.
 * @param oldest The oldest version of the framework's schema that may work with it.
 * @throws {EngineError} `ENGINE_SCHEMA` when it is too new for us, or not there yet.
 */
export function checkVersion({ location, schema }: ServerUrl, version: number, oldest: number): void {
  if (oldest > SCHEMA_VERSION) {
    throw new EngineError(
      "ENGINE_SCHEMA",
      `The schema ${schema} of ${location} has version ${version}, with which this version of the framework, that knows version ${SCHEMA_VERSION}, must not work. It changes nothing any more: run the newer version of the framework.`,
    );
  }
  if (version < SCHEMA_VERSION) {
    throw new EngineError(
      "ENGINE_SCHEMA",
      `The schema ${schema} of ${location} has version ${version}; version ${SCHEMA_VERSION} is needed. Start one replica as the schema's owner without migrate=off.`,
    );
  }
}
