/** The event that everybody delivers. */
export const EVENT = "user.login";

export interface Login {
  readonly username: string;
  readonly visits: number;
}

export const LOGIN: Login = { username: "alice", visits: 1 };

export type LoginHandler = (login: Login) => Promise<number>;

/** So many handlers, each a function of its own. */
export function handlers(count: number): LoginHandler[] {
  return Array.from({ length: count }, (_, at) => async (login: Login) => login.visits + at);
}
