import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Context, Middleware } from "./context.ts";
import type { Duration } from "./duration.ts";

/** The four kinds of handlers. */
export type Kind = "event" | "time" | "command" | "pattern";

/** How a failed run is tried again. */
export interface RetryOptions {
  /** How often the handler is run at the most, the first time included. @default 5 */
  readonly attempts?: number;
  /** The wait before the second attempt. @default "1s" */
  readonly delay?: Duration;
  /** How the wait grows: doubled each time, one `delay` more each time, or not at all. @default "exponential" */
  readonly backoff?: "exponential" | "linear" | "fixed";
  /** No wait is longer. @default "10m" */
  readonly maxDelay?: Duration;
  /** Whether a wait is drawn at random between zero and its length, so that failures do not come back in step. @default true */
  readonly jitter?: boolean;
  /** Whether this failure is worth another attempt. */
  readonly retryIf?: (error: unknown, attempt: number) => boolean;
}

/** At most `limit` runs in any `per`, over all replicas; `by` counts them separately for each key. */
export interface RateLimitOptions<Input = unknown> {
  readonly limit: number;
  readonly per: Duration;
  readonly by?: (input: Input, ctx: Context) => string;
}

/** What every kind of handler may ask for. */
export interface HandlerOptions {
  /** Unique in the registry. @default `Class.method`, the function's name, or the name of the event */
  readonly name?: string;
  /** One sentence for lists, help and the dashboard. */
  readonly description?: string;
  /** A run that takes longer is aborted and counts as failed. @default no limit */
  readonly timeout?: Duration;
  /** `3` is short for `{ attempts: 3 }`, `false` for one attempt. */
  readonly retry?: RetryOptions | number | false;
  /** How many runs of this handler one process has under way at the most. @default 100 */
  readonly concurrency?: number;
  /** Code around each run, outermost first; it runs inside the app's own middleware. */
  readonly use?: readonly Middleware[];
  /** Smaller numbers come first. @default 0 */
  readonly priority?: number;
}

/** One call with many payloads. */
export interface BatchOptions {
  /** How many at the most. */
  readonly size: number;
  /** How long the first one waits for others. @default "100ms" */
  readonly within?: Duration;
}

/** Options of `on`. */
export interface EventOptions<Input = unknown> extends HandlerOptions {
  readonly rateLimit?: RateLimitOptions<Input>;
  /**
   * Gives the handler up to `size` payloads at once, as an array; `concurrency` then bounds the batches (default 10).
   * A handler that returns an array of the same length says how each ended: an Error failed, {@link snooze} and
   * {@link cancel} mean that item alone, anything else is done. One that throws has failed them all.
   */
  readonly batch?: BatchOptions;
  /** `false` drops a message whose attempts are used up instead of keeping it among the dead letters. @default true */
  readonly deadLetter?: boolean;
}

/** A moment: a Date, milliseconds since 1970, or text; text without an offset is read in the task's `timezone`. */
export type Moment = Date | string | number;

/** The rules by which a timer ticks: at least one of `every`, `cron` and `at`. Of several it has the ticks of all, each moment once. */
export interface TimeOptions extends HandlerOptions {
  /** An interval, aligned to the clock: `"15m"` ticks at :00, :15, :30 and :45 on every replica. */
  readonly every?: Duration | readonly Duration[];
  /** A cron line of 5 or 6 fields (seconds first), or `@daily` and its like. */
  readonly cron?: string | readonly string[];
  /** A single moment, or some. */
  readonly at?: Moment | readonly Moment[];
  /** The IANA name of the zone in which `cron` is read, `"Asia/Shanghai"`. @default "UTC" */
  readonly timezone?: string;
  /** No tick is before this moment; intervals stay aligned to the clock. */
  readonly start?: Moment;
  /** No tick is after this moment; `jitter` moves both with the ticks. */
  readonly end?: Moment;
  /** How many ticks are fired at the most, over all replicas and restarts; ticks that were skipped do not count, nor those of `runNow`. With scope `"instance"` in each process. @default no limit */
  readonly maxRuns?: number;
  /** Shifts the task by a part of this length that is always the same for the task. @default 0 */
  readonly jitter?: Duration;
  /** What becomes of ticks that fell due while nobody ran, and were noticed more than 30 s late. @default "skip"; "once" with `at` */
  readonly misfire?: "skip" | "once" | "all";
  /** What becomes of a tick that falls due while the one before still runs. @default "skip" */
  readonly overlap?: "skip" | "queue" | "allow";
  /** Whether each tick runs once in the whole cluster, or once in each process. @default "cluster" */
  readonly scope?: "cluster" | "instance";
}

/** How a type of the user's own reads a text: a function, which answers undefined to what does not fit, or a schema. */
export type OwnType = ((text: string) => unknown) | StandardSchemaV1;

/** The user's own types, by the names that usages have for them. */
export type OwnTypes = Readonly<Record<string, OwnType>>;

/** Whose uses of a command are counted together. */
export type CommandScope = "global" | "user" | "channel";

/** A limit on how soon a command may be used again. */
export interface CooldownOptions {
  readonly per: Duration;
  /** Whose uses are counted together. @default "global" */
  readonly scope?: CommandScope;
  /** A key of your own instead of `scope`. */
  readonly by?: (call: CommandCall) => string;
  /** What becomes of calls while the engine cannot count them. @default "refuse" */
  readonly whenDown?: "allow" | "refuse";
}

/** At most `limit` uses of a command in any `per`, over all replicas. */
export interface CommandRateLimitOptions extends CooldownOptions {
  readonly limit: number;
}

/** What a dangerous command asks before it runs. */
export interface ConfirmOptions {
  /** How long the token can be repeated. @default "30s" */
  readonly within?: Duration;
  /** Whether this call is a dangerous one; it gets the arguments as the handler would. @default always */
  readonly when?: (args: never, call: CommandCall) => boolean;
}

/** What the log keeps of each call: who, where, how it ended and how long it took, and with `"text"` all that was written. */
export type AuditOption = boolean | "text";

/** Options of `commandOn`. */
export interface CommandOptions extends HandlerOptions {
  /** `"60s"` is short for `{ per: "60s", scope: "global" }`. A refused call costs nothing. */
  readonly cooldown?: Duration | CooldownOptions;
  /** A refused call costs nothing, and is answered as one that comes too soon. */
  readonly rateLimit?: CommandRateLimitOptions;
  /** The call is only run once its caller has repeated a token that the first reply shows. @default false */
  readonly confirm?: boolean | ConfirmOptions;
  /** Types of arguments beside the built-in ones, by the names that the usage has for them. */
  readonly types?: OwnTypes;
  /** Whether each call leaves a line in the log. @default true */
  readonly audit?: AuditOption;
  /** Other words for the same command, with their prefix: `["/bk"]`. */
  readonly aliases?: readonly string[];
  /** The caller must have one of these. @default everybody may */
  readonly roles?: readonly string[];
  /** Left out of lists and of /help. @default false */
  readonly hidden?: boolean;
  /** Checks the parsed arguments as a whole; the handler gets its output. */
  readonly schema?: StandardSchemaV1;
}

/** Who calls a command, and from where. */
export interface CommandCall {
  readonly text: string;
  readonly user?: string | undefined;
  readonly channel?: string | undefined;
  readonly roles?: readonly string[] | undefined;
  readonly locale?: string | undefined;
}

/** What a handler of a pattern gets. */
export interface PatternMatch {
  /** The text that matched. */
  readonly text: string;
  /** The named groups; empty text for those that took no part. */
  readonly groups: Readonly<Record<string, string>>;
  /** All groups by number; `captures[0]` is the first group's. */
  readonly captures: readonly (string | undefined)[];
  /** Where in the field the match starts, in UTF-16 units. */
  readonly index: number;
  /** The field that was read. */
  readonly field: string;
  /** All texts of the message. */
  readonly message: Readonly<Record<string, string>>;
}

/** Fires only when enough matches have come within a time, counted over all replicas. */
export interface ThresholdOptions {
  readonly count: number;
  readonly within: Duration;
  /** Counts separately for each key: `(m) => m.groups.ip`. */
  readonly by?: (match: PatternMatch) => string | undefined;
}

/** Fires at most once in each `every`, counted over all replicas. */
export interface PatternCooldownOptions {
  readonly every: Duration;
  /** Keeps quiet separately for each key. @default as the threshold counts, if there is one */
  readonly by?: (match: PatternMatch) => string | undefined;
}

/** Options of `reOn`. */
export interface PatternOptions extends HandlerOptions {
  /** A match ends the search: patterns of lower priority are not tried. @default false */
  readonly stop?: boolean;
  readonly threshold?: ThresholdOptions;
  /** Keeps quiet for so long after it fired: `"5m"` is short for `{ every: "5m" }`. A run that failed does not count. */
  readonly cooldown?: Duration | PatternCooldownOptions;
  /** Runs the pattern on V8 whatever it costs: for texts that no stranger writes. @default false */
  readonly trusted?: boolean;
}

/** What a handler of a timer gets. */
export interface Tick {
  readonly task: string;
  /** The moment the tick was due, in milliseconds since 1970. */
  readonly scheduled: number;
  /** The moment at which it was fired; later than `scheduled` by as much as the tick is late. */
  readonly firedAt: number;
  /** The tick before this one that ended well, if there was one. */
  readonly previousSuccess: number | undefined;
  /** How many ticks of the task were fired, this one included; one of `runNow` is not counted. */
  readonly count: number;
  /** No tick follows: the last of `at`, before `end`, or of `maxRuns`. */
  readonly last: boolean;
}

/** The user's function as the framework calls it; what it really takes was checked where it was declared. */
export type HandlerFunction = (input: unknown, ctx: Context) => unknown;

interface HandlerBase {
  /** Unique in the registry. */
  readonly name: string;
  readonly fn: HandlerFunction;
  /** `file:line` of the declaration; found when it is first asked for. */
  readonly site: string;
}

/** A handler of an event. */
export interface EventHandler extends HandlerBase {
  readonly kind: "event";
  /** The name of the event; `*` stands for one segment, `**` for any number. */
  readonly topic: string;
  readonly schema: StandardSchemaV1 | undefined;
  readonly options: EventOptions;
}

/** When a task ticks. */
export interface Timetable {
  /** The first tick strictly after a moment; undefined when there is none any more. Milliseconds since 1970. */
  next(after: number): number | undefined;
}

/** A handler of a timer. */
export interface TimeHandler extends HandlerBase {
  readonly kind: "time";
  readonly options: TimeOptions;
  /** What the options say, where they were read when it was declared. */
  readonly timetable?: Timetable;
}

/** A handler of a command. */
export interface CommandHandler extends HandlerBase {
  readonly kind: "command";
  /** As declared: `"/backup [mode:full|incremental] [--dry-run]"`. */
  readonly usage: string;
  readonly options: CommandOptions;
}

/** A handler of a pattern. */
export interface PatternHandler extends HandlerBase {
  readonly kind: "pattern";
  readonly field: string;
  readonly pattern: RegExp;
  readonly options: PatternOptions;
}

/** THE handler record: what every declaration, of whatever kind and form, becomes. */
export type Handler = EventHandler | TimeHandler | CommandHandler | PatternHandler;
