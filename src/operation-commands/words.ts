import type { Context } from "../context.ts";
import { roughly } from "../text-for-people.ts";

/** All that the commands for operators say. */
export interface Words {
  /** Headings of columns, and names of values. */
  readonly names: Readonly<Record<Name, string>>;
  /** How long ago, or in how long. */
  past(length: string): string;
  future(length: string): string;
  readonly paused: string;
  readonly orphaned: string;
  readonly disagrees: string;
  readonly on: string;
  readonly off: string;
  none(what: Things): string;
  /** The line below rows that were cut. */
  readonly more: (left: number) => string;
  /** The list is shorter than what there is. */
  shownOf(shown: number, all: number): string;
  noTask(name: string, alike: readonly string[]): string;
  taskRun(name: string, id: string): string;
  taskPaused(name: string): string;
  taskResumed(name: string): string;
  noDeadLetter(id: string): string;
  replayed(count: number): string;
  discarded(count: number): string;
  noMessage(id: string): string;
  cancelled(removed: number, running: number): string;
  tasks(count: number, paused: number): string;
}

/** What may be listed. */
export type Things = "handlers" | "tasks" | "deadLetters" | "subscriptions" | "instances";

/** All headings there are, in Chinese. */
const CHINESE_NAMES = {
  attempts: "次数",
  backlog: "积压",
  dead: "死信",
  died: "失败于",
  engine: "引擎",
  error: "错误",
  event: "事件",
  handler: "处理器",
  host: "主机",
  id: "编号",
  instances: "实例",
  kind: "类型",
  lastSeen: "最近活动",
  lastSuccess: "最近成功",
  lastTick: "最近触发",
  name: "名称",
  next: "下次",
  note: "备注",
  oldest: "最早",
  payload: "内容",
  pid: "进程",
  problem: "问题",
  published: "发布于",
  ready: "就绪",
  reason: "原因",
  running: "运行中",
  schedule: "计划",
  scheduler: "调度器",
  started: "启动于",
  status: "状态",
  task: "任务",
  topic: "主题",
  trigger: "触发条件",
  uptime: "已运行",
  version: "版本",
  waiting: "等待",
};

type Name = keyof typeof CHINESE_NAMES;

/** In English most headings are the names themselves. */
const ENGLISH_NAMES = {
  ...(Object.fromEntries(Object.keys(CHINESE_NAMES).map((name) => [name, name])) as Record<Name, string>), // one for each
  lastSeen: "last seen",
  lastSuccess: "last success",
  lastTick: "last tick",
};

const english: Words = {
  names: ENGLISH_NAMES,
  paused: "paused",
  orphaned: "not declared here",
  disagrees: "declared otherwise elsewhere",
  on: "on",
  off: "off",
  past: (length) => `${length} ago`,
  future: (length) => `in ${length}`,
  none: (what) =>
    ({
      handlers: "No handlers are declared.",
      tasks: "There are no tasks.",
      deadLetters: "There are no dead letters.",
      subscriptions: "There are no subscriptions.",
      instances: "No instance is alive.",
    })[what],
  more: (left) => `… and ${left} more.`,
  shownOf: (shown, all) => `${shown} of ${all}, the oldest first.`,
  noTask: (name, alike) =>
    `There is no task "${name}".${alike.length > 0 ? ` Did you mean ${alike.join(" or ")}?` : ""}`,
  taskRun: (name, id) => `${name} runs now, as ${id}.`,
  taskPaused: (name) => `${name} is paused.`,
  taskResumed: (name) => `${name} ticks again.`,
  noDeadLetter: (id) => (id === "all" ? "No dead letters fit." : `There is no dead letter "${id}".`),
  replayed: (count) => `${count} ${count === 1 ? "dead letter is" : "dead letters are"} ready again.`,
  discarded: (count) => `${count} ${count === 1 ? "dead letter is" : "dead letters are"} gone.`,
  noMessage: (id) => `No message "${id}" waits or runs.`,
  cancelled: (removed, running) => `Called off: ${removed} waiting, ${running} running.`,
  tasks: (count, paused) => `${count} ${count === 1 ? "task" : "tasks"}, ${paused} paused`,
};

const chinese: Words = {
  names: CHINESE_NAMES,
  paused: "已暂停",
  orphaned: "此处未声明",
  disagrees: "其他实例的声明不同",
  on: "开启",
  off: "关闭",
  past: (length) => `${length} 前`,
  future: (length) => `${length} 后`,
  none: (what) =>
    ({
      handlers: "没有声明任何处理器。",
      tasks: "没有任务。",
      deadLetters: "没有死信。",
      subscriptions: "没有订阅。",
      instances: "没有存活的实例。",
    })[what],
  more: (left) => `……还有 ${left} 个。`,
  shownOf: (shown, all) => `显示 ${all} 条中最早的 ${shown} 条。`,
  noTask: (name, alike) =>
    `没有任务“${name}”。${alike.length > 0 ? `您是不是要找 ${alike.join(" 或 ")}？` : ""}`,
  taskRun: (name, id) => `${name} 已开始运行，编号 ${id}。`,
  taskPaused: (name) => `${name} 已暂停。`,
  taskResumed: (name) => `${name} 已恢复。`,
  noDeadLetter: (id) => (id === "all" ? "没有符合条件的死信。" : `没有死信“${id}”。`),
  replayed: (count) => `${count} 条死信已重新就绪。`,
  discarded: (count) => `${count} 条死信已删除。`,
  noMessage: (id) => `没有等待或运行中的消息“${id}”。`,
  cancelled: (removed, running) => `已取消：等待中 ${removed} 个，运行中 ${running} 个。`,
  tasks: (count, paused) => `${count} 个任务，${paused} 个已暂停`,
};

/** The words for whoever wrote a command. */
export function wordsFor({ headers }: Pick<Context, "headers">): Words {
  return /^zh\b/i.test(headers["locale"] ?? "") ? chinese : english;
}

/** When something was, or is to be: `3m ago`, `in 2h`; nothing where there is no moment. */
export function when(words: Words, moment: number | undefined, now: number): string {
  if (moment === undefined) return "";
  return moment > now ? words.future(roughly(moment - now)) : words.past(roughly(now - moment));
}
