// Simulated meters for the trials: a network's meter folder whose port is a pseudo-terminal with an emulated household behind it.

import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { toHex } from "../../src/wire/bytes.js";
import { keyId } from "../../src/wire/key.js";
import { signerFromSeed } from "../../tools/crypto/signatures.js";
import { createHousehold } from "../../tools/emulators/household.js";
import { p1Telegram } from "../../tools/emulators/p1-telegram.js";
import { type ServedPty, servePty } from "../../tools/emulators/serve.js";
import { buildSimulator, type SimulatorBuild } from "../../tools/firmware/builds.js";
import { findSdk, Missing, type Sdk } from "../../tools/firmware/sdk.js";
import type { Sealer } from "../../tools/firmware/sealer.js";
import {
  type MemoryUse,
  type Simulator,
  type SimulatorMessage,
  type SimulatorSettings,
  startSimulator,
} from "../../tools/firmware/simulator.js";
import { createNetwork } from "../../tools/provisioning/network.js";
import { beginWait } from "../patience.js";

const sdk = lookForSdk();

/** The `skip` option of a trial that needs the SDK. */
export const withoutSdk: string | false = sdk === undefined ? "MODDABLE names no Moddable SDK" : false;

const PATIENCE_MS = 60_000;
let build: Promise<SimulatorBuild> | undefined;

/** The firmware, built once a process. */
export function firmware(): Promise<SimulatorBuild> {
  build ??= buildSimulator(sdk!);
  return build;
}

export function theSdk(): Sdk {
  return sdk!;
}

function lookForSdk(): Sdk | undefined {
  try {
    return findSdk();
  } catch (thrown) {
    if (thrown instanceof Missing) return undefined;
    throw thrown;
  }
}

/** A folder that goes with the test. */
export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "gridseal-simulator-"));
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));
  return folder;
}

/** The folders of the meters of a network of its own, none of whose nodes runs. */
export async function provisionMeters(t: TestContext, meters: number): Promise<readonly string[]> {
  const folder = await temporaryFolder(t);
  const chains = [{ service: 1, name: "trading", nodes: [1] }];
  const plan = { network: "test", nodes: 1, chains, meters, host: "127.0.0.1", basePort: 21_000, target: 0 };
  const network = await createNetwork(join(folder, "network"), plan, new Date());
  return network.meters.map(({ name }) => join(folder, "network/meters", name));
}

export interface SealedMeter {
  readonly folder: string;
  /** kid as topics write it */
  readonly id: string;
  readonly seed: Uint8Array;
}

/** A meter's folder with a key and a credential of the sealer's network, an emulated household at its port. */
export async function provisionSealed(
  t: TestContext,
  sealer: Sealer,
  plan: { readonly broker: string; readonly schedule: readonly { service: number }[]; readonly interval_ms: number },
): Promise<SealedMeter> {
  const folder = await temporaryFolder(t);
  const seed = crypto.getRandomValues(new Uint8Array(32));
  const { key } = signerFromSeed(seed);
  const pty = await serveHousehold(t, seed[0]!, plan.interval_ms);
  const services = [...new Set(plan.schedule.map(({ service }) => service))];
  await mkdir(join(folder, "keyvalue"));
  await writeFile(join(folder, "keyvalue/seed"), seed);
  await writeFile(join(folder, "keyvalue/credential"), sealer.credential(key, services));
  const configuration = {
    version: 1,
    network: sealer.genesis.network,
    genesis: toHex(sealer.genesisBytes),
    brokers: [plan.broker],
    meter: { protocol: "p1", port: { kind: "serial", path: pty.path, baud: 115_200, parity: "none" } },
    schedule: plan.schedule,
  };
  await writeFile(join(folder, "configuration.json"), JSON.stringify(configuration));
  return { folder, id: toHex(keyId(key)), seed };
}

/** Changes fields of a meter's configuration. */
export function configure(folder: string, fields: object): Promise<void> {
  return editJson(join(folder, "configuration.json"), fields);
}

export async function editJson(path: string, fields: object): Promise<void> {
  await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, "utf8")), ...fields }));
}

/** A household that sends a P1 telegram every `interval_ms` on a pseudo-terminal, its clock running by the telegrams. */
export async function serveHousehold(t: TestContext, seed: number, interval_ms: number): Promise<ServedPty> {
  await firmware(); // its clock stands while the firmware is built
  let time_s = Math.floor(Date.now() / 1000);
  const household = createHousehold({ seed, start_s: time_s });
  const pty = await servePty((onBytes) => {
    const timer = setInterval(() => onBytes(p1Telegram(household.step(++time_s), "5.0")), interval_ms);
    return { close: () => clearInterval(timer) };
  });
  t.after(() => pty.close());
  return pty;
}

export interface Trial extends Simulator {
  readonly messages: readonly SimulatorMessage[];
  /** The reason of every line of the level error. */
  readonly errors: readonly string[];
  use(): Promise<MemoryUse>;
}

/** Slots of the stack that nothing takes: what is added in a deep place shows here before it ends a meter. */
const STACK_SPARE = 48;

/** That the meter's stack went no deeper than leaves some room. */
export function assertStack({ stackSlotsUsed, stackSlots }: MemoryUse): void {
  assert(stackSlotsUsed + STACK_SPARE <= stackSlots, `${stackSlotsUsed} of ${stackSlots} stack slots`);
}

/** Starts a simulated meter; it is killed after the test, if the power was not cut before. */
export async function startMeter(
  t: TestContext,
  folder: string,
  settings?: SimulatorSettings,
  build?: SimulatorBuild,
): Promise<Trial> {
  const messages: SimulatorMessage[] = [];
  const errors: string[] = [];
  const waiting: ((use: MemoryUse) => void)[] = [];
  const take = (message: SimulatorMessage): void => {
    if ("use" in message) return waiting.shift()?.(message.use);
    if ("level" in message && message.level === "error") errors.push(message.message);
    if (!("state" in message)) messages.push(message);
  };
  const simulator = startSimulator(build ?? (await firmware()), folder, take, settings);
  t.after(() => simulator.kill());
  return {
    ...simulator,
    get state() {
      return simulator.state;
    },
    get counters() {
      return simulator.counters;
    },
    messages,
    errors,
    use: () =>
      new Promise((resolve) => {
        waiting.push(resolve);
        simulator.send("use");
      }),
  };
}

/** What a meter's console answers to a line. */
export async function ask(meter: Trial, line: string): Promise<string> {
  const before = meter.messages.length;
  meter.send(`console ${line}`);
  return until(`answer to ${line.slice(0, 40)}`, () => {
    const message = meter.messages.slice(before).find((each) => "console" in each);
    return message !== undefined && "console" in message ? message.console : undefined;
  });
}

/** Waits until the check gives something other than false or undefined: see ../patience.ts. */
export async function until<Result>(
  what: string,
  check: () => Result | Promise<Result>,
  patience_ms = PATIENCE_MS,
): Promise<Exclude<Result, undefined | false>> {
  const wait = beginWait(patience_ms);
  for (;;) {
    const found = await check();
    if (found !== undefined && found !== false) return found as Exclude<Result, undefined | false>;
    if (wait.isOver) throw new Error(`${what}: not within ${Math.round(wait.waited_ms / 1000)} s`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
