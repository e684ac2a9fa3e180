// The chat on a terminal. Run it: node examples/chat/terminal.ts http://127.0.0.1:8090 ann

import { createInterface } from "node:readline";
import { ChatSession } from "./session.js";

const [address = "http://127.0.0.1:8090", token = "ann"] = process.argv.slice(2);
const locale = process.env["LANG"]?.startsWith("zh") ? "zh" : "en";
const chat = new ChatSession(`${address.replace(/^http/, "ws").replace(/\/$/, "")}/chat`, { token, locale });
const terminal = createInterface({ input: process.stdin });
let done = false;

chat.addEventListener("frame", ({ detail: { type, status, text, message } }) => {
  if (type === "welcome") console.log("connected; /help lists the commands");
  else if (type === "error") console.log(`! ${message}`);
  else if (text) console.log(status === undefined || status === "ok" ? text : `${status}: ${text}`);
  leave();
});
chat.addEventListener("lost", ({ detail: code }) => {
  if (!done) console.log(`connection lost (${code})`);
  if (code === 4401) process.exitCode = 1;
  if (code === 4401) terminal.close();
});
terminal.on("line", (line) => {
  if (line.trim() !== "") chat.say(line);
});
terminal.on("close", () => {
  done = true;
  leave();
});

/** Once nothing more comes in, and all that was said is answered. */
function leave(): void {
  if (done && chat.waiting === 0) chat.close();
}
