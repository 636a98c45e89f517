// One node of a simulation: it starts, stops and dies, and each of its lives runs the real code
// (life.ts). It can die within any call it makes of the outside.

import { toHex } from "../../../../src/wire/bytes.js";
import { WireError } from "../../../../src/wire/error.js";
import { GridsealError, reasonOf } from "../../../errors.js";
import { byteOf, chainOf, decodeFrame, payloadOf } from "../../../node/chain/frame.js";
import { consensusRecords } from "../../../node/chain/tables/consensus-records.js";
import { Busy } from "../../../node/ingest/admission.js";
import { publishedTopic } from "../../../node/ingest/ingest.js";
import type { FrameRow } from "../../../node/part.js";
import { MESSAGE_FRAME } from "../../../node/parts/messages/carrier.js";
import { chainIn } from "../../../node/store/keys.js";
import { stackOf } from "../checks/violation.js";
import { type Life, openLife } from "./node-life.js";
import type { NodeOptions, NodeWorld, SimulatedNode } from "./node-world.js";

/** A process that runs; it has chains once it has opened its disk. */
interface Process {
  life: Life | undefined;
}

/** Frames of one node that a link holds while nothing is read from it. */
const UNREAD_MAX = 64;

export function createNode(world: NodeWorld, options: NodeOptions): SimulatedNode {
  const { disk, member, label, adversary } = options;
  const id = toHex(member.id);
  let lives = 0;
  let current: Process | undefined;
  let [fuse, writeFuse] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  const backlog = createBacklog(world);

  /** Counts a call of the outside; false where the node that makes it is dead, or dies in it. */
  const reaches = (mine: Process): boolean => {
    if (current !== mine) return false;
    fuse -= 1;
    if (fuse > 0) return true;
    node.kill();
    return false;
  };

  const onWrite = (mine: Process) => {
    writeFuse -= 1;
    if (writeFuse !== 0) return;
    world.timeline.after(world.random.between(0, 2), () => {
      if (current === mine) node.kill();
    });
  };

  const fatal = (mine: Process, reason: unknown) => {
    if (current !== mine) return;
    node.stop();
    world.onFatal(node, reason);
  };

  const onDefect = (what: string) => world.onDefect(node, what);

  const read = (mine: Process, from: string, bytes: Uint8Array) => {
    if (current !== mine || mine.life === undefined) return;
    if (mine.life.isShut(from)) return world.onKeptOut(node, from);
    const delay_ms = mine.life.delay_ms(from);
    if (delay_ms > 0) return backlog.wait(from, delay_ms, () => read(mine, from, bytes));
    const row = mine.life.frames.get(byteOf(bytes) ?? 0);
    const dropped = (kind: string) => (error: unknown) => {
      if (current !== mine) return;
      if (error instanceof GridsealError) return fatal(mine, error);
      mine.life?.drop(from, bytes, error);
      world.trace(`${label} drops ${kind} of ${from.slice(0, 4)}: ${reasonOf(error)}`);
      if (!(error instanceof WireError)) onDefect(`${kind}: ${stackOf(error)}`);
    };
    if (row !== undefined) return void takePartFrame(mine.life, row, { from, bytes }).catch(dropped(row.kind));
    if (byteOf(bytes) === MESSAGE_FRAME) return takeMessage(mine.life, from, bytes, onDefect);
    for (const passed of world.mutateFrame(bytes, node)) {
      const frame = decodeFrame(passed);
      const chain = frame === undefined ? undefined : mine.life.chains.get(frame.chain);
      if (frame !== undefined && chain !== undefined) chain.onFrame(from, frame).catch(dropped(frame.kind));
      else mine.life.drop(from, bytes, frame === undefined ? undefined : new WireError("untimely", "of another chain"));
    }
  };

  const node: SimulatedNode = {
    id,
    peers: world.ids.filter((other) => other !== id),
    label,
    copy: options.copy,
    copies: options.copies,
    signer: options.signer,
    disk,
    adversary,
    clock_ms: 0,
    get chainNumbers() {
      return disk.rows.all(consensusRecords).map(({ key }) => chainIn(key));
    },
    get life() {
      return lives;
    },
    get isUp() {
      return current !== undefined;
    },
    get chains() {
      return current?.life?.chains ?? new Map();
    },
    start() {
      lives += 1;
      [fuse, writeFuse] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
      const mine: Process = { life: undefined };
      current = mine;
      try {
        mine.life = openLife({
          world,
          options,
          node,
          reaches: () => reaches(mine),
          isOver: () => current !== mine,
          onWrite: () => onWrite(mine),
          onFatal: (reason) => fatal(mine, reason),
        });
        mine.life.start();
      } catch (error) {
        world.trace(`${label} does not start: ${reasonOf(error)}`);
        current = undefined;
        disk.crash();
        if (!(error instanceof GridsealError)) onDefect(`start: ${reasonOf(error)}`);
        return false;
      }
      return current === mine;
    },
    kill() {
      if (current === undefined) return;
      world.trace(`${label} is killed`);
      current = undefined;
      disk.crash();
    },
    killWithin(calls) {
      fuse = calls;
    },
    killInWrite(writes) {
      writeFuse = writes;
    },
    stop() {
      if (current === undefined) return;
      world.trace(`${label} stops`);
      current.life?.stop();
      current = undefined;
      disk.flush();
    },
    receive(from, bytes) {
      if (current?.life === undefined || adversary?.onReceive(from, bytes, node.inject) === false) return;
      read(current, from, bytes);
    },
    onPeer(peer) {
      for (const chain of node.chains.values()) chain.onPeer(peer);
    },
    async onPublish(topic, payload) {
      const mine = current;
      if (mine?.life === undefined) return false;
      const published = publishedTopic(world.genesis.network, topic);
      if (published === undefined) return true;
      try {
        await mine.life.admissions.onPublish(published, payload, "");
      } catch (error) {
        if (current === mine && error instanceof GridsealError) fatal(mine, error);
        else if (current === mine && !(error instanceof Busy)) world.onDefect(node, `publish: ${stackOf(error)}`);
        return false;
      }
      return current === mine;
    },
    submitOrder: async (bytes) => {
      const mine = current;
      try {
        const answer = await mine?.life?.submitOrder(bytes);
        return current === mine ? answer : undefined;
      } catch (error) {
        if (current === mine && !(error instanceof GridsealError)) world.onDefect(node, `order: ${stackOf(error)}`);
        return undefined; // its API says so
      }
    },
    inject: (to, frame) => world.send(node, to, frame),
  };
  return node;
}

/** As a link of the node hands it over; rejects with why it is dropped. */
async function takePartFrame(
  life: Life,
  row: FrameRow,
  { from, bytes }: { readonly from: string; readonly bytes: Uint8Array },
): Promise<void> {
  life.charge(from, "verification", row.verifications);
  const reason = await row.take(from, chainOf(bytes), payloadOf(bytes));
  if (reason !== undefined) throw new WireError("unproven", reason);
}

/** What another node hands over for a chain. */
function takeMessage(life: Life, from: string, bytes: Uint8Array, onDefect: (what: string) => void): void {
  try {
    life.onPassedOn(chainOf(bytes), payloadOf(bytes));
  } catch (error) {
    life.drop(from, bytes, error);
    if (!(error instanceof WireError)) onDefect(`message: ${stackOf(error)}`);
  }
}

/** What comes while nothing is read from its sender waits on the link, and is lost where the sender does not wait. */
function createBacklog({ timeline }: NodeWorld) {
  const waiting = new Map<string, number>();
  return {
    wait(from: string, delay_ms: number, read: () => void): void {
      const count = waiting.get(from) ?? 0;
      if (count === UNREAD_MAX) return;
      waiting.set(from, count + 1);
      timeline.after(delay_ms, () => {
        waiting.set(from, waiting.get(from)! - 1);
        read();
      });
    },
  };
}
