import { expect, test } from "vitest";
import { hideSecrets } from "../../src/observe/secrets.ts";

const HIDDEN = "[hidden]";

test.each([
  "password",
  "PASSWORD",
  "db_password",
  "token",
  "apiTokens",
  "API_TOKENS",
  "access_token",
  "authorization",
  "Proxy-Authorization",
  "cookie",
  "Set-Cookie",
  "client_secret",
  "x-api-key",
  "apiKey",
  "privateKey",
])("hides %s, at any depth and in lists", (name) => {
  const secret = { [name]: "hunter2" };
  expect(hideSecrets({ ...secret, a: { b: [secret] } })).toEqual({
    [name]: HIDDEN,
    a: { b: [{ [name]: HIDDEN }] },
  });
});

test.each(["tokenize", "passed", "author", "key", "handler", "id", "user", "tokensUsed"])(
  "leaves %s alone",
  (name) => {
    const fields = { [name]: "x", deep: { [name]: ["y"] } };
    expect(hideSecrets(fields)).toBe(fields);
  },
);

test("does not change what it was given", () => {
  const fields = { headers: { authorization: "Bearer x" } };
  hideSecrets(fields);
  expect(fields).toEqual({ headers: { authorization: "Bearer x" } });
});

test("looks into objects of classes, and leaves those alone that say how they are written", () => {
  class Client {
    readonly token = "hunter2";
  }
  const at = new Date(0);
  expect(hideSecrets({ client: new Client(), at })).toEqual({ client: { token: HIDDEN }, at });
});

test("shows errors, their causes and what they gather", () => {
  const cause = Object.assign(new TypeError("odd"), { token: "hunter2" });
  const error = new AggregateError([new Error("one")], "both", { cause });
  expect(hideSecrets({ failure: error })).toMatchObject({
    failure: {
      type: "AggregateError",
      message: "both",
      stack: expect.stringContaining("secrets.test.ts"),
      cause: { type: "TypeError", message: "odd", token: HIDDEN },
      errors: [{ type: "Error", message: "one" }],
    },
  });
});

test("ends in a circle", () => {
  const fields: Record<string, unknown> = { password: "hunter2" };
  fields["self"] = fields;
  const text = JSON.stringify(hideSecrets(fields));
  expect(text).toContain(HIDDEN);
  expect(text).not.toContain("hunter2");
});
