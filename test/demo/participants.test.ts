// The demo's participants: what they sign is waited for from the moment on in which it is signed.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { nodeVerify } from "../../tools/crypto/signatures.js";
import { makeParticipants, startParticipants } from "../../tools/demo/participants.js";
import { createTally } from "../../tools/demo/tally.js";
import { readGenesisFile } from "../../tools/files/genesis-file.js";
import { createNetwork } from "../../tools/provisioning/network.js";

test("an operation is open as soon as it is signed, so that who stops the demo then waits for it", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "gridseal-participants-"));
  t.after(() => rm(folder, { recursive: true }));
  const network = join(folder, "network");
  const chains = [
    { service: 1, name: "trading", nodes: [1] },
    { service: 5, name: "contracts", nodes: [1] },
  ];
  const place = { host: "127.0.0.1", basePort: 1, target: 0 };
  await createNetwork(network, { network: "demo", nodes: 1, chains, meters: 0, ...place }, new Date());
  await makeParticipants(network, [1], new Date());
  const { genesis } = await readGenesisFile(join(network, "genesis.cbor"));
  const tally = createTally(genesis, nodeVerify);
  // Nobody listens there: nothing is ever sealed.
  const participants = await startParticipants(network, ["http://127.0.0.1:10999"], tally, (error) =>
    assert.fail(error),
  );
  t.after(() => participants.stop());
  while (participants.signed === 0) {
    await turn();
    assert.ok(participants.open >= participants.signed, `${participants.signed} signed, ${participants.open} open`);
  }
  participants.pause();
  assert.ok(participants.open > 0, "who pauses now waits for it");
});
