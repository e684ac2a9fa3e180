/* The limit: the handlers called by hand, with nothing between. */
import type { Run } from "../measure/contest.ts";
import { handlers, LOGIN, type LoginHandler } from "./login.ts";

/** One handler, awaited. */
export function directly(): Run {
  const [handler] = handlers(1) as [LoginHandler];
  return async (times) => {
    let sum = 0;
    for (let n = 0; n < times; n++) sum += await handler(LOGIN);
    return sum;
  };
}

/** Several handlers at once, their results gathered. */
export function allAtOnce(count: number): Run {
  const all = handlers(count);
  return async (times) => {
    let sum = 0;
    for (let n = 0; n < times; n++) {
      const running: Promise<number>[] = [];
      for (const handler of all) running.push(handler(LOGIN));
      sum += (await Promise.all(running)).length;
    }
    return sum;
  };
}
