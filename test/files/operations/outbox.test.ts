// A participant's outbox under crashes at every step of every write: a number that was handed out is never signed again.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { toHex } from "../../../src/wire/bytes.js";
import { keyId } from "../../../src/wire/key.js";
import { parseOperation, signOperation } from "../../../src/wire/operation.js";
import { GridsealError } from "../../../tools/errors.js";
import {
  append,
  decodeOutbox,
  emptyOutbox,
  encodeOutbox,
  type Outbox,
  settle,
  WAITING_MAX,
} from "../../../tools/files/operations/outbox.js";
import { type Disk, openOutbox } from "../../../tools/files/operations/outbox-file.js";
import { signerNamed } from "../../wire/network.js";

const signer = signerNamed("participant");
const kid = keyId(signer.key);

/** Signs the next operation; two with one number differ, as people ask for something else after a crash. */
let asked = 0;
function make({ next, previous }: Pick<Outbox, "next" | "previous">): Uint8Array {
  asked += 1;
  const claims = { service: 7, serviceId: 0, seq: next, previous, time_s: 1, quality: 2, type: 1, body: asked };
  return signOperation(claims, [], signer, kid);
}

class Crash extends Error {}

/** A disk that forgets at a crash what was not made durable: of a file's content any part, of names all since the last sync. */
function simulatedDisk() {
  const files = new Map<string, { content: Uint8Array; isDurable: boolean }>();
  let names = new Map<string, string>();
  let durable = new Map<string, string>();
  let count = 0;
  let left = Number.POSITIVE_INFINITY;
  const step = () => {
    left -= 1;
    if (left < 0) throw new Crash();
  };
  const disk: Disk = {
    async read(name) {
      const inode = names.get(name);
      return inode === undefined ? undefined : files.get(inode)!.content;
    },
    async write(name, bytes) {
      step();
      count += 1;
      files.set(String(count), { content: bytes, isDurable: false });
      names.set(name, String(count));
    },
    async sync(name) {
      step();
      files.get(names.get(name)!)!.isDurable = true;
    },
    async rename(name, to) {
      step();
      names.set(to, names.get(name)!);
      names.delete(name);
    },
    async syncFolder() {
      step();
      durable = new Map(names);
    },
  };
  return {
    disk,
    /** Crashes at the step behind so many. */
    crashAfter(steps: number) {
      left = steps;
    },
    /** What is there after the crash; `keptNames` says whether names that were not synced came through, `kept` how much of a file. */
    recover(keptNames: boolean, kept: number) {
      left = Number.POSITIVE_INFINITY;
      if (!keptNames) names = new Map(durable);
      for (const file of files.values()) {
        if (!file.isDurable) file.content = file.content.subarray(0, Math.floor(kept * file.content.length));
        file.isDurable = true;
      }
      durable = new Map(names);
    },
  };
}

test("property: whatever crash comes between, no number is handed out for two operations, and each names the one before", async () => {
  const life = fc.record({
    actions: fc.array(fc.constantFrom("sign", "sign", "settle"), { minLength: 1, maxLength: 6 }),
    crashAfter: fc.nat({ max: 24 }),
    keptNames: fc.boolean(),
    kept: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(life, { minLength: 1, maxLength: 6 }), async (lives) => {
      const { disk, crashAfter, recover } = simulatedDisk();
      const handedOut = new Map<number, string>();
      for (const { actions, crashAfter: steps, keptNames, kept } of lives) {
        crashAfter(steps);
        try {
          const file = await openOutbox(disk, 7);
          for (const [seq, hash] of handedOut) {
            const here = file.outbox.waiting.find((waiting) => waiting.seq === seq);
            if (here !== undefined) assert.equal(toHex(here.hash), hash);
            assert.ok(seq < file.outbox.next, `number ${seq} was handed out, and the next one is ${file.outbox.next}`);
          }
          for (const action of actions) {
            if (action === "settle") {
              const [first] = file.outbox.waiting;
              if (first !== undefined) await file.settle(first.seq);
              continue;
            }
            const { claims, hash } = parseOperation(await file.sign(make));
            assert.equal(handedOut.has(claims.seq), false, `number ${claims.seq} is handed out twice`);
            const before = handedOut.get(claims.seq - 1);
            if (before !== undefined) assert.equal(toHex(claims.previous), before);
            handedOut.set(claims.seq, toHex(hash));
          }
        } catch (error) {
          if (!(error instanceof Crash)) throw error;
        }
        recover(keptNames, kept);
      }
    }),
    { numRuns: 1_000 },
  );
});

test("a write that fails leaves the outbox as it was, here and on disk", async () => {
  const { disk, crashAfter } = simulatedDisk();
  const file = await openOutbox(disk, 7);
  await file.sign(make);
  const before = file.outbox;
  crashAfter(2);
  await assert.rejects(file.sign(make), Crash);
  assert.equal(file.outbox, before);
  crashAfter(Number.POSITIVE_INFINITY);
  assert.equal(parseOperation(await file.sign(make)).claims.seq, 1);
});

test("stops where the file is not what was written, whichever byte is another", async () => {
  const outbox = append(emptyOutbox, make(emptyOutbox));
  const good = encodeOutbox(outbox);
  assert.deepEqual(decodeOutbox(good), outbox);
  for (let at = 0; at < good.length; at += 7) {
    const bytes = good.with(at, good[at]! ^ 1);
    const disk = { ...simulatedDisk().disk, read: async () => bytes };
    const isDamaged = (error: unknown) => error instanceof GridsealError && error.code === "OUTBOX_DAMAGED";
    await assert.rejects(openOutbox(disk, 7), isDamaged, `byte ${at}`);
  }
  const cut = { ...simulatedDisk().disk, read: async () => good.subarray(0, 20) };
  await assert.rejects(openOutbox(cut, 7), GridsealError);
});

test("takes the next operation alone, and no more than may wait", () => {
  let outbox = emptyOutbox;
  const first = make(outbox);
  outbox = append(outbox, first);
  assert.throws(() => append(outbox, first), /not the next one/);
  assert.throws(() => append(outbox, make({ next: 1, previous: new Uint8Array(32) })), /not the next one/);
  while (outbox.waiting.length < WAITING_MAX) outbox = append(outbox, make(outbox));
  assert.throws(() => append(outbox, make(outbox)), /wait already/);
  outbox = append(settle(outbox, 3), make(outbox));
  assert.deepEqual(decodeOutbox(encodeOutbox(outbox)), outbox);
});
