// Child processes that take one order at a time and answer it: load and verification run beside
// what is measured, never in it.

import { fork } from "node:child_process";
import { once } from "node:events";
import { reasonOf } from "../../errors.js";
import { modulePath } from "../../module-path.js";
import { watchChild } from "../rig/children.js";

export interface Worker<Order, Answer> {
  readonly pid: number;
  /** Rejects with what the worker threw, or where it ended. One order at a time. */
  ask(order: Order): Promise<Answer>;
  end(): Promise<void>;
}

type Reply = { readonly answer: unknown } | { readonly failure: string };

/** Starts a module of this folder that calls `serveOrders`. */
export function startWorker<Order, Answer>(module: string): Worker<Order, Answer> {
  const child = fork(modulePath(`lab/bench/${module}`), { serialization: "advanced" });
  watchChild(child);
  return {
    pid: child.pid!,
    ask: (order) =>
      new Promise((resolve, reject) => {
        const forget = () => {
          child.off("message", onMessage);
          child.off("exit", onExit);
        };
        const onMessage = (reply: Reply) => {
          forget();
          if ("failure" in reply) reject(new Error(`${module}: ${reply.failure}`));
          else resolve(reply.answer as Answer);
        };
        const onExit = (status: number | null, signal: string | null) => {
          forget();
          reject(new Error(`${module} ended with ${signal ?? status}`));
        };
        child.on("message", onMessage);
        child.on("exit", onExit);
        child.send(order as object);
      }),
    async end() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.disconnect();
      await ended;
    },
  };
}

/** The worker's side: answers every order until the parent is gone. */
export function serveOrders<Order>(carryOut: (order: Order) => Promise<unknown>): void {
  process.on("message", (order) => {
    carryOut(order as Order).then(
      (answer) => reply({ answer }),
      (thrown: unknown) => reply({ failure: reasonOf(thrown) }),
    );
  });
  process.on("disconnect", () => process.exit());
  // The terminal's Ctrl-C reaches every process of its group; the parent decides.
  process.on("SIGINT", () => undefined);
}

function reply(message: Reply): void {
  process.send?.(message);
}
