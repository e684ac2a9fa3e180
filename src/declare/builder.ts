/*
 * One builder serves every form in which a handler can be declared:
 *
 *   on(E).execute(fn)              a plain function, registered at once
 *   on(E).execute()(fn)            the two steps of the Python original
 *   @on(E) method() {}             a standard (TC39) decorator
 *   @(on(E).execute()) method() {} the same, in the original's words
 *   @on(E) under the TypeScript option `experimentalDecorators`
 *
 * A function is registered where it stands. A method is only noted: it becomes a handler when an app is given its class
 * (`createApp({ handlers: [Accounts] })`), because only then is there an object to call it on.
 */

import type { Context } from "../context.ts";
import { DeclarationError } from "../errors.ts";
import type { HandlerFunction } from "../handler.ts";
import type { HandlerRegistry, Unfinished } from "../registry.ts";
import { note } from "./class-handlers.ts";
import { type Declaration, type Site, siteOf, toHandler } from "./declaration.ts";

/** A function that takes `Input`; it may take less, and be synchronous or not. */
export type HandlerOf<Input> = (input: Input, ctx: Context) => unknown;

/**
 * A function whose own parameter says what it takes: nothing is known of the input, so nothing can check it. Written as
 * a method, because TypeScript compares those both ways: `(user: User) => …` fits, and without a type `user` is `unknown`.
 */
export type UncheckedHandler = { handle(input: unknown, ctx: Context): unknown }["handle"];

type AnyHandler = (input: never, ctx: Context) => unknown;

/** Decorates a method, under both standard and legacy decorators. The method's parameter is checked against `H`'s. */
export interface HandlerDecorator<H extends AnyHandler> {
  <This, F extends H>(method: F, context: ClassMethodDecoratorContext<This>): void;
  <F extends H>(target: object, key: string | symbol, descriptor: TypedPropertyDescriptor<F>): void;
}

/** What `.execute()` without a function gives: takes the function in a second step, or decorates a method. */
export interface Execute<H extends AnyHandler> extends HandlerDecorator<H> {
  <F extends H>(fn: F): F;
}

/** A handler that is described but has no function yet. */
export interface HandlerBuilder<H extends AnyHandler> extends HandlerDecorator<H> {
  /** Registers the function, which is returned unchanged and stays directly callable. */
  execute<F extends H>(fn: F): F;
  execute(): Execute<H>;
}

/** Makes the builder of a declaration. `above` is the public function the user called: the site is found above it. */
export function builder<H extends AnyHandler>(
  registry: HandlerRegistry,
  declaration: Declaration,
  above: (...args: never[]) => unknown,
): HandlerBuilder<H> {
  const site = siteOf(above, registry.size);
  const { what } = declaration;
  const functionless = "it was given no function. Write .execute(async (input, ctx) => …).";
  let open = new NotFinished(registry, what, site, functionless);
  const apply = (first: unknown, second?: unknown, third?: unknown): unknown => {
    open.finish();
    if (second === undefined) return registerFunction(registry, declaration, site, first);
    const method = isContext(second) ? first : (third as PropertyDescriptor | undefined)?.value;
    refuseOddTargets(second, method);
    const classless = "its class was given to no app. Write createApp({ handlers: [TheClass] }).";
    open = new NotFinished(registry, what, site, classless);
    note(method as HandlerFunction, { declaration, site, open });
    return undefined;
  };
  // The overloads are told apart at run time, which no cast-free signature can say.
  const build = apply as unknown as HandlerBuilder<H> & Execute<H>;
  build.execute = ((...fn: [H?]) => (fn.length === 0 ? build : apply(fn[0]))) as typeof build.execute;
  return build;
}

/** Told when an app starts: a declaration that comes to nothing is a mistake that nothing else would show. */
class NotFinished implements Unfinished {
  readonly what: string;
  readonly why: string;
  readonly #registry: HandlerRegistry;
  readonly #site: Site;

  constructor(registry: HandlerRegistry, what: string, site: Site, why: string) {
    this.what = what;
    this.why = why;
    this.#registry = registry;
    this.#site = site;
    registry.begin(this);
  }

  finish(): void {
    this.#registry.finish(this);
  }

  get site(): string {
    return this.#site.text;
  }
}

function registerFunction(
  registry: HandlerRegistry,
  declaration: Declaration,
  site: Site,
  fn: unknown,
): unknown {
  if (typeof fn !== "function") {
    throw new DeclarationError(
      "HANDLER_NOT_A_FUNCTION",
      `${declaration.what} got ${fn === null ? "null" : typeof fn} instead of a function at ${site.text}. Write .execute(async (input, ctx) => …).`,
    );
  }
  const run = fn as HandlerFunction; // what it takes was checked by the builder's type
  registry.add(toHandler(declaration, declaration.name ?? (run.name || declaration.fallbackName), run, site));
  return fn;
}

function isContext(value: unknown): value is DecoratorContext {
  return typeof value === "object" && value !== null && "kind" in value && "addInitializer" in value;
}

function refuseOddTargets(second: unknown, method: unknown): void {
  const context = isContext(second) ? second : undefined;
  if (
    typeof method === "function" &&
    (context === undefined || (context.kind === "method" && !context.private))
  )
    return;
  throw new DeclarationError(
    "DECORATOR_TARGET",
    `Handlers can be declared on methods only, and not on private ones; ${context ? `${context.kind} ${String(context.name)}` : String(second)} is neither.`,
  );
}
