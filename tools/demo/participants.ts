// The demo's participants: each signs what the story asks of it, brings it to a node and verifies its receipt. Some sign an operation of
// a network's own type now and then, on every chain.

import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { toHex } from "../../src/wire/bytes.js";
import { signOperation } from "../../src/wire/operation.js";
import { decodeReceipt } from "../../src/wire/receipt.js";
import { serviceTopic } from "../../src/wire/topics.js";
import { GridsealError } from "../errors.js";
import type { Waiting } from "../files/operations/outbox.js";
import { type Participant, withParticipant } from "../files/operations/participant-folder.js";
import { createParticipant } from "../provisioning/participant.js";
import { openApiSource, postRecord } from "../sources/api.js";
import type { Asked } from "./community/asked.js";
import { type Actor, actors, plans } from "./community/cast.js";

import type { Tally } from "./tally.js";

/** A network's own types, which no contract handles, and who signs them. */
const TYPE = 40_000;
const talkers: readonly string[] = ["anna", "works"] satisfies readonly Actor[];
/** Whom the demo leaves to whoever tries commands: a folder of its own, as those beside it are in use while the demo runs. */
export const GUEST = "guest";
const EVERY_MS = 8_000;
const POLL_MS = 250;

/** Makes the participants of a new network. */
export async function makeParticipants(network: string, services: readonly number[], now: Date): Promise<void> {
  for (const id of actors) {
    const { role, algorithm } = plans[id];
    await createParticipant({ network, id, role, algorithm, services, out: join(network, "participants", id) }, now);
  }
  const guest = { id: GUEST, role: ["customer", "community-manager"], algorithm: "Ed25519" } as const;
  await createParticipant({ network, ...guest, services, out: join(network, GUEST) }, now);
}

export interface DemoParticipants {
  /** operations signed so far */
  readonly signed: number;
  /** operations that wait for their receipts */
  readonly open: number;
  /** Has somebody sign something, behind what he has been asked before; nothing any more once it is paused. */
  ask(asked: Asked): void;
  /** Signs no more; those that wait are looked after until `stop`. */
  pause(): void;
  stop(): Promise<void>;
}

/** `onFailed` is told of what is no node that is down. */
export async function startParticipants(
  network: string,
  apis: readonly string[],
  tally: Tally,
  onFailed: (error: GridsealError) => void,
): Promise<DemoParticipants> {
  const folder = join(network, "participants");
  const names = existsSync(folder) ? await readdir(folder) : [];
  const shared = { isPaused: false, isOver: false, signed: 0 };
  const open = new Map<string, number>();
  const asked = new Map<string, Asked[]>(names.map((name) => [name, []]));
  const lives = names.sort().map((name) =>
    withParticipant(join(folder, name), (participant) =>
      live(participant, {
        ...{ apis, tally, shared, first: talkers.indexOf(name), asked: asked.get(name)! },
        onOpen: (count) => open.set(name, count),
      }),
    ).catch((error: unknown) => {
      if (!(error instanceof GridsealError)) throw error;
      onFailed(error);
    }),
  );
  return {
    get signed() {
      return shared.signed;
    },
    get open() {
      return [...open.values()].reduce((sum, count) => sum + count, 0);
    },
    ask(wanted) {
      if (!shared.isPaused) asked.get(wanted.who)?.push(wanted);
    },
    pause() {
      shared.isPaused = true;
    },
    async stop() {
      shared.isPaused = true;
      shared.isOver = true;
      await Promise.all(lives);
    },
  };
}

interface Life {
  readonly apis: readonly string[];
  readonly tally: Tally;
  readonly shared: { isPaused: boolean; isOver: boolean; signed: number };
  /** of the services, for which it signs first; -1 where it signs for none by itself */
  readonly first: number;
  /** what it is to sign, the first first */
  readonly asked: Asked[];
  onOpen(count: number): void;
}

async function live(participant: Participant, { apis, tally, shared, first, asked, onOpen }: Life): Promise<void> {
  const { services } = participant.credential;
  let next_ms = first < 0 ? Number.POSITIVE_INFINITY : performance.now() + (EVERY_MS * first) / talkers.length;
  let count = 0;
  for (let turn = first; !shared.isOver; ) {
    const own: Omit<Asked, "who">[] = [];
    if (performance.now() >= next_ms) {
      next_ms += EVERY_MS;
      own.push(remarkOf(services[turn % services.length]!, turn));
      turn += 1;
    }
    for (const wanted of [...asked.splice(0), ...own]) {
      if (shared.isPaused) break;
      // It is open before it is signed, so that who pauses now waits for it.
      onOpen(count + 1);
      await sign(participant, wanted);
      count += 1;
      shared.signed += 1;
    }
    count = 0;
    for (const service of services) {
      const outbox = await participant.outbox(service);
      for (const waiting of outbox.outbox.waiting) {
        const api = apis[(waiting.seq + service) % apis.length]!;
        if (await isSealed(participant, { service, waiting, api, tally })) await outbox.settle(waiting.seq);
      }
      count += outbox.outbox.waiting.length;
    }
    onOpen(count);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** What somebody says by himself. */
function remarkOf(service: number, turn: number): Omit<Asked, "who"> {
  const body = { asks: turn % 2 === 0 ? "more" : "less", wh: 100 * (1 + (turn % 9)) };
  return { service, type: TYPE + (turn % 3), body };
}

async function sign(participant: Participant, { service, type, body }: Omit<Asked, "who">): Promise<void> {
  const outbox = await participant.outbox(service);
  await outbox.sign(({ next, previous }) => {
    const time_s = Math.floor(Date.now() / 1_000);
    const place = { service, serviceId: 0, seq: next, previous, time_s, quality: 2 };
    return signOperation({ ...place, type, body }, [], participant.signer, participant.kid);
  });
}

interface Offer {
  readonly service: number;
  readonly waiting: Waiting;
  readonly api: string;
  readonly tally: Tally;
}

/** Offers it, and asks for its receipt; a node that is down is asked again. */
async function isSealed(
  { genesis, kid, tokenFor }: Participant,
  { service, waiting, api, tally }: Offer,
): Promise<boolean> {
  const source = openApiSource(api, tokenFor);
  const topic = (kind: "record" | "receipt") => serviceTopic(genesis.network, service, kind, toHex(kid));
  try {
    const receipt = await source.receipt(service, kid, waiting.seq);
    tally.note("received", topic("receipt"), receipt, performance.now());
    return toHex(decodeReceipt(receipt).recordHash) === toHex(waiting.hash);
  } catch (error) {
    if (!isLate(error)) throw error;
    tally.note("published", topic("record"), waiting.bytes, performance.now());
    await postRecord(api, waiting.bytes, tokenFor).catch((failed: unknown) => {
      if (!isLate(failed)) throw failed;
    });
    return false;
  } finally {
    await source.close();
  }
}

/** It is not sealed yet, or the node is down. */
function isLate(error: unknown): boolean {
  return error instanceof GridsealError && (error.code === "RECORD_UNKNOWN" || error.code === "NODE_UNREACHABLE");
}
