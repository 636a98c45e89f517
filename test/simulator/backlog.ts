// A meter that was cut off from the network for weeks: the agent itself, its clock run through as fast as this machine signs, fills the
// outbox in the meter's folder until it is full.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Agent, createAgent } from "../../src/agent/agent.js";
import { createHousehold } from "../../tools/emulators/household.js";
import { p1Telegram } from "../../tools/emulators/p1-telegram.js";
import { openFlash } from "../../tools/meters/flash.js";
import { openKeyValue } from "../../tools/meters/key-value.js";
import { nodeMeterCrypto } from "../../tools/meters/meter-crypto.js";

const SECTOR_BYTES = 4096;

export interface BacklogPlan {
  /** size of the outbox's partition, in bytes */
  readonly flashBytes: number;
  /** of the readings, UTC */
  readonly start_s: number;
  /** between readings */
  readonly every_s: number;
  readonly readingsMax: number;
}

export interface Backlog {
  readonly records: number;
  readonly days: number;
}

/** Fills the outbox until it refuses a record; what waits in it. */
export async function fillOutbox(folder: string, plan: BacklogPlan): Promise<Backlog> {
  const flash = openFlash(join(folder, "outbox.flash"), { size: plan.flashBytes, sectorSize: SECTOR_BYTES });
  const keyValue = openKeyValue(join(folder, "keyvalue"));
  const random = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length));
  const agent = createAgent(await readFile(join(folder, "configuration.json"), "utf8"), {
    keyValue,
    outboxFlash: flash,
    random,
    crypto: nodeMeterCrypto,
  });
  if ("reason" in agent) throw new Error(`${agent.path} ${agent.reason}`);
  const household = createHousehold({ seed: 6, start_s: plan.start_s });
  let counters: Readonly<Record<string, number>> = {};
  let reading = 0;
  for (; (counters.outboxFull ?? 0) === 0; reading += 1) {
    if (reading === plan.readingsMax) throw new Error(`not full after ${reading} readings`);
    const time_s = plan.start_s + reading * plan.every_s;
    counters = read(agent, p1Telegram(household.step(time_s), "5.0"), time_s, reading * plan.every_s);
  }
  flash.close();
  return { records: counters.waiting!, days: (reading * plan.every_s) / 86_400 };
}

/** One telegram at its time; the counters after it. */
function read(agent: Agent, bytes: Uint8Array, time_s: number, uptime_s: number): Readonly<Record<string, number>> {
  const moment = { uptime_ms: uptime_s * 1000, time_ms: time_s * 1000, quality: 2 } as const;
  const effects = agent.step({ kind: "meterBytes", bytes }, moment);
  const shown = effects.find((effect) => effect.kind === "showState");
  if (shown?.kind !== "showState") throw new Error("an agent shows its counters at every reading");
  return shown.counters;
}
