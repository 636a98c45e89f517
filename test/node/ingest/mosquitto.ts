// A mosquitto of the test's own, on a free port, that can be killed and started again on the same one.

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
const binary = folders.map((folder) => join(folder, "mosquitto")).find((path) => existsSync(path));

/** The `skip` option for a test that needs the broker. */
export const withoutMosquitto = binary ? false : "mosquitto is not installed";

export interface Mosquitto {
  readonly url: string;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  /** Starts it again, on the same port. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts mosquitto with these lines besides the listener's in its configuration. */
export async function startMosquitto(...lines: readonly string[]): Promise<Mosquitto> {
  const folder = await mkdtemp(join(tmpdir(), "gridseal-mosquitto-"));
  const port = await freePort();
  const own = [`listener ${port} 127.0.0.1`, "allow_anonymous true", "set_tcp_nodelay true"];
  return startMosquittoIn(folder, port, [...own, ...lines, ""].join("\n"));
}

/** Starts mosquitto in a folder, which is removed with it, with a configuration that has it listen on the port. */
export async function startMosquittoIn(folder: string, port: number, text: string): Promise<Mosquitto> {
  const configuration = join(folder, "mosquitto.conf");
  await writeFile(configuration, text);
  let broker: ChildProcess | undefined;
  process.once("exit", () => broker?.kill("SIGKILL"));

  async function restart(): Promise<void> {
    broker = spawn(binary!, ["-c", configuration], { stdio: "ignore", cwd: folder });
    const end_ms = performance.now() + 10_000;
    while (!(await answers(port))) {
      if (performance.now() > end_ms) throw new Error(`mosquitto does not listen on port ${port}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async function kill(): Promise<void> {
    const running = broker;
    broker = undefined;
    if (!running) return;
    const gone = new Promise((resolve) => running.once("exit", resolve));
    running.kill("SIGKILL");
    await gone;
  }

  await restart();
  return {
    url: `mqtt://127.0.0.1:${port}`,
    kill,
    restart,
    async stop() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}
