import type { Problem } from "./bind.ts";
import { type Messages, shown, withoutEnd } from "./messages.ts";
import type { ValueType } from "./value-types.ts";

/** What commands say in Chinese. */
export const chinese: Messages = {
  unknown: (command, alike) =>
    `没有命令 ${shown(command)}。${alike.length > 0 ? `您是不是要找 ${alike.join(" 或 ")}？` : ""}`,
  incomplete: (command, commands) => `${command} 不能单独使用，请输入其中之一：${commands.join("、")}。`,
  invalid: (problems, usage) => `${problems.join("\n")}\n用法：${usage}`,
  problem,
  denied: (command, roles) =>
    `您无权使用 ${command}：需要角色 ${roles.map((role) => `“${role}”`).join(" 或 ")}。`,
  coolingDown: (command, seconds) => `${command} 刚刚用过，请在 ${seconds} 秒后重试。`,
  tooOften: (command, limit, seconds) => `${command} 已用满 ${limit} 次，请在 ${seconds} 秒后重试。`,
  unavailable: (command) => `${command} 暂时无法使用，请稍后重试。`,
  confirm: (command, answer, seconds) => `${command} 需要确认：请在 ${seconds} 秒内输入 ${answer}。`,
  nothingToConfirm: () => "没有需要确认的命令：确认码有误、已使用或已过期。",
  failed: (command, id) => `${command} 执行失败。原因见日志，编号 ${id}。`,
  timedOut: (command, id) => `${command} 执行超时，已停止。日志编号 ${id}。`,
  cancelled: (command) => `${command} 已取消。`,
  helpTitle: () => "命令列表：",
  helpMore: (left) => `……还有 ${left} 个。`,
  helpHint: (help) => `输入“${help} 命令”查看某个命令的说明。`,
  noCommands: () => "没有您可以使用的命令。",
  usage: (usage) => `用法：${usage}`,
  aliases: (words) => `别名：${words.join("、")}`,
  cooldown: (length) => `每 ${length} 只能使用一次。`,
  rateLimit: (limit, length) => `每 ${length} 最多使用 ${limit} 次。`,
};

function problem(it: Problem): string {
  switch (it.code) {
    case "missing":
      return `缺少参数 ${it.argument}：请输入${wanted(it.type)}。`;
    case "misfit":
      return `${it.argument}：${shown(it.given)} 不符合要求，${it.why === undefined ? `请输入${wanted(it.type)}` : withoutEnd(it.why)}。`;
    case "too_many":
      return `多了参数 ${shown(it.given)}。含空格的参数请加引号。`;
    case "unknown_flag": {
      const hint = it.alike.length > 0 ? `您是不是要找 ${it.alike.join(" 或 ")}？` : "";
      return `没有选项 ${shown(it.argument)}。${hint}以横线开头的参数，请在前面写“--”。`;
    }
    case "flag_twice":
      return `选项 ${it.argument} 重复了，只能写一次。`;
    case "flag_without_value":
      return `选项 ${it.argument} 需要一个值，例如 ${it.argument}=${it.type.example}。`;
    case "unclosed_quote":
      return `引号 ${it.given} 没有闭合。请补上，或用 \\${it.given} 表示这个字符本身。`;
    case "too_long":
      return `这条命令太长，最多 ${it.most} 个字符。`;
    case "schema":
      return it.argument === "" ? it.message : `${it.argument}：${it.message}`;
  }
}

const KINDS: Readonly<Record<string, string>> = {
  int: "整数",
  number: "数字",
  duration: "时长",
  date: "日期",
  json: " JSON",
  email: "邮箱地址",
  url: "网址",
};

function wanted({ name, example, choices }: ValueType): string {
  if (choices) return ` ${choices.join(" 或 ")}`;
  if (name === "string") return "文本";
  const kind = Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
  return kind === undefined ? ` ${name}` : `${kind}，例如 ${example}`;
}
