import { DeclarationError } from "../errors.ts";
import type { HandlerFunction } from "../handler.ts";
import type { HandlerRegistry } from "../registry.ts";
import { type Declaration, type Site, toHandler } from "./declaration.ts";

/** What a decorator leaves on a method. */
interface Note {
  readonly declaration: Declaration;
  readonly site: Site;
  /** To be finished when the method has become a handler. */
  readonly open: { finish(): void };
}

/** A class whose methods are handlers, or an object of such a class. The class is made with the app's services. */
export type HandlerClass = object | (new (...args: never[]) => object);

// Kept by function, not on the class: a standard decorator does not know its class, and neither form needs metadata.
const notes = new WeakMap<HandlerFunction, Note[]>();

/** Remembers that a method was decorated. */
export function note(method: HandlerFunction, left: Note): void {
  const known = notes.get(method);
  if (known) known.push(left);
  else notes.set(method, [left]);
}

/**
 * Registers the decorated methods of a class, its superclasses' included.
 *
 * @param instance Gives the object to call the methods on; asked when the first of them runs.
 * @returns the function that takes them out again.
 * @throws {DeclarationError} `HANDLERS_NONE` when no method of the class is decorated.
 */
export function registerClass(
  registry: HandlerRegistry,
  listed: HandlerClass,
  instance: () => object,
): () => void {
  const isClass = typeof listed === "function";
  const name = isClass ? listed.name : (listed.constructor.name as string);
  const disposers: (() => void)[] = [];
  const methods = isClass
    ? [...methodsOf(listed, () => listed), ...methodsOf(listed.prototype as object, instance)]
    : methodsOf(Object.getPrototypeOf(listed) as object, () => listed);
  for (const { key, fn, on } of methods) {
    for (const { declaration, site, open } of notes.get(fn) ?? []) {
      open.finish();
      const run: HandlerFunction = (input, ctx) => fn.call(on(), input, ctx);
      disposers.push(
        registry.add(toHandler(declaration, declaration.name ?? `${name}.${String(key)}`, run, site)),
      );
    }
  }
  if (disposers.length === 0) {
    throw new DeclarationError(
      "HANDLERS_NONE",
      `handlers: no method of ${name || "the class"} is decorated. Put @on, @timeOn, @commandOn or @reOn on a method, or take it off the list.`,
    );
  }
  return () => disposers.forEach((dispose) => dispose());
}

interface Method {
  readonly key: string | symbol;
  readonly fn: HandlerFunction;
  readonly on: () => object;
}

/** The methods of an object and of what it inherits from; an overridden one counts only as it is overridden. */
function methodsOf(start: object, on: () => object): Method[] {
  const methods: Method[] = [];
  const seen = new Set<string | symbol>();
  for (
    let object = start;
    object && object !== Object.prototype && object !== Function.prototype;
    object = Object.getPrototypeOf(object) as object
  ) {
    for (const key of Reflect.ownKeys(object)) {
      const { value } = Object.getOwnPropertyDescriptor(object, key) as PropertyDescriptor;
      if (seen.has(key) || typeof value !== "function" || key === "constructor") continue;
      seen.add(key);
      methods.push({ key, fn: value as HandlerFunction, on });
    }
  }
  return methods;
}
