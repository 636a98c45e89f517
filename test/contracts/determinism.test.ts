// A run comes to the same everywhere: in a thread and in the main one, in whatever order, on every
// release of Node. The digest pins the engine, the prelude and the encoding of outcomes at once.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { createEngine } from "../../tools/contracts/engine.js";
import { stateOf } from "../../tools/contracts/run-state.js";
import { ENGINE_HASH } from "../../tools/ledger/engines.js";
import { encodeOutcome } from "../../tools/ledger/outcome.js";
import { openSandbox, readEngine, type Sandbox } from "../../tools/node/contracts/sandbox.js";
import { generatedRun } from "./programs.js";

const RUNS = 100;
/** SHA-256 over the encoded outcomes of runs 1 to 100 */
const DIGEST = "688e83921acc89e660ebae800897719040c30cd565581454539f61c7c67302b2";

async function outcomes(engine: Pick<Sandbox, "run">, seeds: readonly number[]): Promise<Map<number, Uint8Array>> {
  const found = new Map<number, Uint8Array>();
  for (const seed of seeds) found.set(seed, encodeOutcome(await engine.run(generatedRun(seed))));
  return found;
}

function digestOf(found: ReadonlyMap<number, Uint8Array>): string {
  const hash = createHash("sha256");
  for (let seed = 1; seed <= RUNS; seed += 1) hash.update(found.get(seed)!);
  return hash.digest("hex");
}

test("100 generated contracts come to the same in a thread and in the main thread, on every machine", async () => {
  const seeds = Array.from({ length: RUNS }, (_, index) => index + 1);
  const sandbox = await openSandbox();
  try {
    const engine = await createEngine(await readEngine());
    const main: Pick<Sandbox, "run"> = { run: (run) => engine.run({ ...run, state: stateOf(run.state) }) };
    const [inThread, inMain] = await Promise.all([outcomes(sandbox, seeds), outcomes(main, [...seeds].reverse())]);
    assert.deepEqual(
      seeds.filter((seed) => Buffer.compare(inThread.get(seed)!, inMain.get(seed)!) !== 0),
      [],
    );
    assert.equal(digestOf(inThread), DIGEST);
    // The runs are of all kinds.
    const kinds = new Set(
      [...inThread.values()].map(
        (bytes) =>
          Buffer.from(bytes)
            .toString("latin1")
            .match(/(budget|memory|output|state|value|threw)$/)?.[0],
      ),
    );
    const wanted = ["budget", "memory", "output", "threw", "undefined", "value"];
    assert.deepEqual([...kinds].map(String).sort(), wanted);
  } finally {
    await sandbox.close();
  }
});

test("another engine is refused by its hash", async () => {
  const wasm = await readEngine();
  wasm[wasm.length - 1]! ^= 1;
  await assert.rejects(createEngine(wasm), { code: "ENGINE_FOREIGN", message: new RegExp(`not ${ENGINE_HASH}$`) });
});
