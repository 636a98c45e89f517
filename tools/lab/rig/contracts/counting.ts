// A contract for clusters of real processes: it counts what each participant asks, and tells the count. It is installed by an order
// of the network's authority, as an operator would.

import { join } from "node:path";
import { type InstallAction, signTried, sourceHash, withSource } from "../../../../src/wire/contract-order.js";
import { verifyGenesis } from "../../../../src/wire/genesis.js";
import { sha256 } from "../../../../src/wire/hash.js";
import { issueOrder } from "../../../../src/wire/order.js";
import { readOwnKeyOf } from "../../../authority/folder.js";
import { issuedGovernance } from "../../../authority/issued-orders.js";
import { nextOrder } from "../../../authority/orders.js";
import { nodeVerify } from "../../../crypto/signatures.js";
import { readKeyFile } from "../../../files/key-file.js";
import { newestEngine } from "../../../ledger/engines.js";
import { readNodeConfiguration } from "../../../node/configuration.js";
import { submitOrder } from "../../../routes/orders.js";
import type { Cluster } from "../cluster.js";

const source = `
export const reads = [];
export const writes = ["asked/"];
export function operation(context, { participant, seq, body }) {
  const key = "asked/" + participant;
  const asked = (context.get(key) ?? 0) + 1;
  context.put(key, asked);
  if (asked % 5 === 0) context.deny("every-fifth", asked);
  else context.effect("counted", [participant, seq, asked, typeof body]);
}
`;

export interface Counted {
  readonly service: number;
  /** ascending */
  readonly types: readonly number[];
}

/** Installs it on a chain, for operations of these types. Resolves to the order once a node has taken it. */
export async function installCounting(
  { folder, genesis: bytes, nodes, configurations }: Cluster,
  { service, types }: Counted,
): Promise<Uint8Array> {
  const genesis = verifyGenesis(bytes, nodeVerify);
  const authority = join(folder, "authority");
  const own = await readOwnKeyOf(genesis, authority, () => Promise.reject(new Error("it has none")));
  const governance = await issuedGovernance(authority, genesis);
  const keys = await Promise.all(
    configurations.map(async (path) => readKeyFile((await readNodeConfiguration(path)).key)),
  );
  const untried: InstallAction = {
    ...{ type: "install", service, name: "counting", version: 1, source: sourceHash(source) },
    ...newestEngine,
    ...{
      budget: 100,
      pages: 32,
      output: 4_096,
      types,
      messages: [],
      vectors: sha256(new Uint8Array(0)),
      ready: [],
      fromHeight: 1,
    },
  };
  const action = { ...untried, ready: signTried(genesis.hash, untried, keys) };
  const order = nextOrder(governance, action, { number: undefined, now: new Date(), source });
  const travelling = withSource(issueOrder(order, genesis, own), source);
  const { path, method, body } = submitOrder;
  const answer = await fetch(new URL(path, nodes[0]!.api), {
    ...{ method, headers: { "content-type": body.type }, body: travelling },
  });
  if (answer.ok) return travelling;
  throw new Error(`the contract's order was refused: ${await answer.text()}`);
}
