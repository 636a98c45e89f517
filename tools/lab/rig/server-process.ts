// A measured server: started with its output in a file, asked to stop, and never left behind.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { watchChild } from "./children.js";

export interface ServerProcess {
  readonly name: string;
  readonly pid: number;
  /** What it wrote last, for a failure's message. */
  lastWords(): string;
  readonly hasEnded: boolean;
  /** Asks it to stop and waits; ends it where it does not. */
  stop(): Promise<void>;
}

const STOP_MAX_MS = 30_000;
const LAST_WORDS = 600;

/**
 * Starts a program in a process group of its own, so that the terminal's Ctrl-C does not reach it.
 */
export function startServer(name: string, command: string, args: readonly string[], logPath: string): ServerProcess {
  const log = openSync(logPath, "a");
  const child = spawn(command, args, { stdio: ["ignore", log, log], detached: true });
  closeSync(log);
  watchChild(child);
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
  return {
    name,
    pid: child.pid ?? 0,
    lastWords: () => readFileSync(logPath, "utf8").slice(-LAST_WORDS),
    get hasEnded() {
      return hasEnded();
    },
    async stop() {
      if (hasEnded()) return;
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MAX_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}

/**
 * Waits until the condition holds. Throws where that takes too long, or where one of the servers
 * ended.
 */
export async function waitFor(
  what: string,
  servers: readonly ServerProcess[],
  seconds: number,
  holds: () => Promise<boolean>,
): Promise<void> {
  const until_ms = performance.now() + seconds * 1000;
  for (;;) {
    if (await holds().catch(() => false)) return;
    const ended = servers.find((server) => server.hasEnded);
    if (ended !== undefined) throw new Error(`${ended.name} ended: ${ended.lastWords()}`);
    if (performance.now() > until_ms) {
      throw new Error(`${what}: not after ${seconds} s; ${servers[0]?.name}: ${servers[0]?.lastWords()}`);
    }
    await pause(100);
  }
}

/** TCP ports that nobody listens on at the moment. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => listenOn(0)));
  const ports = servers.map((server) => (server.address() as { readonly port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/**
 * A base such that base + offset is free for every offset; below the ports that systems give to
 * clients.
 */
export async function freeBasePort(offsets: readonly number[]): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const base = 12_000 + 500 * Math.floor(Math.random() * 36);
    const servers = await Promise.allSettled(offsets.map((offset) => listenOn(base + offset)));
    for (const server of servers) if (server.status === "fulfilled") server.value.close();
    if (servers.every((server) => server.status === "fulfilled")) return base;
  }
  throw new Error("no free ports were found on 127.0.0.1");
}

async function listenOn(port: number) {
  const server = createServer();
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return server;
}
