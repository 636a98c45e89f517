// What a node tells of a contract's state, against proofs: a value that is told otherwise, one that is hidden, one that is made up. Looks
// that fail hold up no other.

import assert from "node:assert/strict";
import { test } from "node:test";
import { verifyGenesis } from "../../src/wire/genesis.js";
import { nodeVerify } from "../../tools/crypto/signatures.js";
import { decodeStateProofFile, encodeStateProof } from "../../tools/ledger/state-proof.js";
import { createLooks } from "../../tools/monitor/looks.js";
import { createStateRounds } from "../../tools/monitor/state-rounds.js";
import type { AskedState } from "../../tools/monitor/states.js";
import type { ReceiptSource, StateEntry } from "../../tools/sources/source.js";
import { fixtures } from "../wire/fixtures.js";

const bytesOf = (file: string, name: string) => Buffer.from(fixtures[file]![name]!.bytes, "hex");
const genesis = verifyGenesis(bytesOf("genesis", "genesis"), nodeVerify);
const { lineage } = decodeStateProofFile(bytesOf("state", "proof"));
const proofs = new Map(
  (["proof", "absence"] as const).map((name) => {
    const { proof } = decodeStateProofFile(bytesOf("state", name));
    return [proof.key, encodeStateProof(proof)] as const;
  }),
);

/** A node whose chain has 1000 under `1` and nothing under `9`, and that tells these entries. */
function asked(told: () => readonly StateEntry[]): AskedState {
  const source: Partial<ReceiptSource> = {
    async *stateEntries({ prefix }) {
      yield* told().filter(({ key }) => key.startsWith(prefix));
    },
    stateProof: async (_service, contract, key) => proofs.get(`${contract}/${key}`),
    lineage: async () => lineage,
  };
  return { genesis, source: source as ReceiptSource, service: 1, contract: "limits" };
}

async function* none(): AsyncGenerator<StateEntry> {}
const good: StateEntry = { key: "1", value: 1_000 };

test("a value that is proved is right, and another one is named until a whole round finds nothing", async () => {
  let told: StateEntry = good;
  const rounds = createStateRounds();
  const of = asked(() => [told]);
  assert.equal(await rounds.look(of), undefined);
  told = { key: "1", value: 1_001 };
  assert.equal(await rounds.look(of), "it tells another value of limits/1 than its chain proves");
  told = good;
  assert.equal(await rounds.look(of), undefined);
});

test("a key that a block has written is looked at before the round comes to it: told otherwise, hidden, or made up", async () => {
  for (const [written, told, complaint] of [
    ["1", [{ key: "1", value: 7 }], "it tells another value of limits/1 than its chain proves"],
    ["1", [], "it tells no value of limits/1, of which its chain proves one"],
    ["9", [{ key: "9", value: 7 }], "it tells another value of limits/9 than its chain proves"],
    ["1", [good], undefined],
    ["9", [], undefined],
  ] as const) {
    const rounds = createStateRounds();
    rounds.note(1, [`limits/${written}`, "others/1"]);
    const of = asked(() => told);
    const name = `${written}: ${JSON.stringify(told)}`;
    // The round itself has not begun: its first entries are others.
    const source = {
      ...of.source,
      stateEntries: (wanted: { readonly service: number; readonly contract: string; readonly prefix: string }) =>
        wanted.prefix === "" ? none() : of.source.stateEntries(wanted),
    };
    const found = await rounds.look({ ...of, source } as AskedState);
    assert.equal(found, complaint, name);
  }
});

test("a value that changes between the questions is no lie", async () => {
  let asks = 0;
  const of = asked(() => {
    asks += 1;
    return [{ key: "1", value: asks === 1 ? 999 : 1_000 }];
  });
  assert.equal(await createStateRounds().look(of), undefined);
});

test("a look that fails is told when it has failed three times in a row, keeps what was wrong, and spoils no other", async () => {
  class Fatal extends Error {}
  const looks = createLooks((error) => error instanceof Fatal);
  const failing = () => Promise.reject(new Error("503"));
  await looks.look("a", async () => "is wrong");
  assert.deepEqual(await looks.look("a", failing), { wrong: "is wrong", unseen: undefined });
  await looks.look("a", failing);
  assert.deepEqual(await looks.look("b", async () => undefined), { wrong: undefined, unseen: undefined });
  assert.deepEqual(await looks.look("a", failing), { wrong: "is wrong", unseen: "a: 503" });
  assert.deepEqual(await looks.look("a", async () => undefined), { wrong: undefined, unseen: undefined });
  await assert.rejects(
    looks.look("a", () => Promise.reject(new Fatal())),
    Fatal,
  );
});
