/* The peers, each as its documentation has it: async handlers, and where it can, their results awaited. */
import type { Run } from "../measure/contest.ts";
import { load, peersOf } from "../measure/peers.ts";
import { EVENT, handlers, LOGIN, type Login, type LoginHandler } from "./login.ts";

interface Emitter2 {
  on(event: string, handler: LoginHandler): void;
  emitAsync(event: string, login: Login): Promise<number[]>;
}
interface Emittery {
  on(event: string, handler: (event: { data: Login }) => Promise<number>): void;
  emit(event: string, login: Login): Promise<void>;
}
interface Hooks {
  hook(event: string, handler: LoginHandler): void;
  callHook(event: string, login: Login): Promise<unknown>;
}
interface Broker {
  createService(service: object): void;
  start(): Promise<void>;
  call(action: string, login: Login): Promise<number>;
  emit(event: string, login: Login): Promise<unknown>;
}
type Decorate = (...target: unknown[]) => void;

/** @param count How many handlers. */
export function triggerPeers(
  count: number,
  options: { readonly peers: boolean },
): Promise<Record<string, Run>> {
  return peersOf(
    {
      eventemitter2: () => eventemitter2(count),
      emittery: () => emittery(count),
      hookable: () => hookable(count),
      moleculer: () => moleculer(count),
      "@nestjs/event-emitter": () => nest(count),
    },
    options,
  );
}

async function eventemitter2(count: number): Promise<Run> {
  const { default: EventEmitter2 } = await load<{ default: new () => Emitter2 }>("eventemitter2");
  const emitter = new EventEmitter2();
  for (const handler of handlers(count)) emitter.on(EVENT, handler);
  return async (times) => {
    let sum = 0;
    for (let n = 0; n < times; n++) sum += (await emitter.emitAsync(EVENT, LOGIN)).length;
    return sum;
  };
}

/** Its emit gives no results. */
async function emittery(count: number): Promise<Run> {
  const { default: Emittery } = await load<{ default: new () => Emittery }>("emittery");
  const emitter = new Emittery();
  let sum = 0;
  for (const handler of handlers(count)) {
    emitter.on(EVENT, async ({ data }) => {
      sum++;
      return handler(data);
    });
  }
  return async (times) => {
    for (let n = 0; n < times; n++) await emitter.emit(EVENT, LOGIN);
    return sum;
  };
}

async function hookable(count: number): Promise<Run> {
  const { createHooks } = await load<{ createHooks: () => Hooks }>("hookable");
  const hooks = createHooks();
  let sum = 0;
  for (const handler of handlers(count)) {
    hooks.hook(EVENT, async (login) => {
      sum++;
      return handler(login);
    });
  }
  return async (times) => {
    for (let n = 0; n < times; n++) await hooks.callHook(EVENT, LOGIN);
    return sum;
  };
}

/** One handler is an action of a service, whose result comes back; several are services that listen to an event. */
async function moleculer(count: number): Promise<Run> {
  const { ServiceBroker } = await load<{ ServiceBroker: new (options: object) => Broker }>("moleculer");
  const broker = new ServiceBroker({ logger: false });
  let sum = 0;
  for (const [at, handler] of handlers(count).entries()) {
    const run = async ({ params }: { params: Login }) => {
      sum++;
      return handler(params);
    };
    const does = count === 1 ? { actions: { login: run } } : { events: { [EVENT]: run } };
    broker.createService({ name: `service-${at}`, ...does });
  }
  await broker.start();
  return async (times) => {
    for (let n = 0; n < times; n++) {
      if (count === 1) await broker.call("service-0.login", LOGIN);
      else await broker.emit(EVENT, LOGIN);
    }
    return sum;
  };
}

async function nest(count: number): Promise<Run> {
  const { Module, Injectable } = await load<Record<string, () => Decorate>>("@nestjs/common");
  const { NestFactory } = await load<{
    NestFactory: {
      createApplicationContext(module: unknown, options: object): Promise<{ get(token: unknown): Emitter2 }>;
    };
  }>("@nestjs/core");
  const events = await load<{
    EventEmitterModule: { forRoot(): unknown };
    OnEvent(event: string): Decorate;
    EventEmitter2: unknown;
  }>("@nestjs/event-emitter");
  class Logins {}
  for (const [at, handler] of handlers(count).entries()) {
    const descriptor = { value: handler, writable: true, configurable: true };
    Object.defineProperty(Logins.prototype, `handler${at}`, descriptor);
    events.OnEvent(EVENT)(Logins.prototype, `handler${at}`, descriptor);
  }
  Injectable?.()(Logins);
  class Root {}
  const module = Module as unknown as (options: object) => Decorate;
  module({ imports: [events.EventEmitterModule.forRoot()], providers: [Logins] })(Root);
  const context = await NestFactory.createApplicationContext(Root, { logger: false });
  const emitter = context.get(events.EventEmitter2);
  return async (times) => {
    let sum = 0;
    for (let n = 0; n < times; n++) sum += (await emitter.emitAsync(EVENT, LOGIN)).length;
    return sum;
  };
}
