// Exported chains made into a store such as a node has, so that whatever a node answers of them can be answered without one. Every block
// is checked as a node checks a peer's: its quorum, its place, all that it comes to, contracts among it.

import type { Genesis, Member } from "../../../src/wire/genesis.js";
import { keyId, type Signer } from "../../../src/wire/key.js";
import { localTimeouts } from "../../consensus/types.js";
import { generateSeed, nodeVerify, signerFromSeed } from "../../crypto/signatures.js";
import { verifyAsync, verifyRecords, verifyRecordsLater } from "../../crypto/verifying.js";
import { GridsealError, reasonOf } from "../../errors.js";
import { CONTRACTS_SERVICE } from "../../ledger/governance.js";
import { createCompositions } from "../../node/chain/blocks/compositions.js";
import { createContractRuns } from "../../node/chain/blocks/contract-runs.js";
import { createSealer, type Sealer } from "../../node/chain/blocks/sealer.js";
import type { ChainPorts } from "../../node/chain/ports.js";
import { createGovernor, type Governor } from "../../node/chain/sealed-orders.js";
import { createChainContracts } from "../../node/contracts/node-contracts.js";
import { fillViolations } from "../../node/parts/violations/filling.js";
import { openStore } from "../../node/store/open-store.js";
import type { Store } from "../../node/store/store.js";
import { openFileSource } from "../../sources/file.js";

export interface ArchivedChain {
  readonly service: number;
  readonly name: string;
  readonly sealer: Sealer;
  /** of its file */
  readonly path: string;
  /** why it ends before its file does */
  readonly problem: string | undefined;
}

export interface Archive {
  readonly store: Store;
  readonly chains: readonly ArchivedChain[];
  close(): Promise<void>;
}

interface Terms {
  readonly genesis: Genesis;
  readonly exports: ReadonlyMap<number, string>;
  /** where the store is made */
  readonly folder: string;
  onBlock(service: number, height: number): void;
}

/** Reads all of the exports, *contracts* first: the other chains are judged by its orders. */
export async function makeArchive({ genesis, exports, folder, onBlock }: Terms): Promise<Archive> {
  const signer = signerFromSeed(generateSeed());
  const store = await openStore(folder, { node: keyId(signer.key), genesisHash: genesis.hash }, false);
  const governor = createGovernor(genesis, store);
  const contracts = createChainContracts();
  const chains: ArchivedChain[] = [];
  const order = [...exports.keys()].sort((one, other) => rankOf(one) - rankOf(other) || one - other);
  for (const service of order) {
    const governed = governor.current.chains.find(({ chain }) => chain.service === service);
    const path = exports.get(service)!;
    if (governed === undefined) throw new GridsealError("USAGE", `${path} is of chain ${service}, which no order adds`);
    const ports = portsOf({ genesis, signer, store, governor, run: contracts.run }, governed.chain);
    const [runs, compositions] = [createContractRuns(ports, () => {}), createCompositions(ports, () => {})];
    const sealer = createSealer(ports, { runs, compositions, onSealing: () => {} });
    const problem = await adoptAll(sealer, path, service, onBlock);
    chains.push({ service, name: governed.chain.name, sealer, path, problem });
    const afterOthers = () => new Promise<void>((resolve) => setImmediate(resolve));
    await fillViolations({ store, afterOthers, isStopped: () => false }, service);
  }
  await contracts.close();
  return { store, chains, close: () => store.close() };
}

function rankOf(service: number): number {
  return service === CONTRACTS_SERVICE ? 0 : 1;
}

/** Why it ends before the file does; undefined where it does not. */
async function adoptAll(
  sealer: Sealer,
  path: string,
  service: number,
  onBlock: Terms["onBlock"],
): Promise<string | undefined> {
  try {
    for await (const bytes of openFileSource(path).blocks(service, 1)) {
      const height = sealer.head.height + 1;
      const sealed = await sealer.adopt(bytes);
      if (sealed === undefined)
        return `block ${height} is judged by orders that are not at hand: export *contracts*, too`;
      onBlock(service, height);
    }
    return undefined;
  } catch (error) {
    return `block ${sealer.head.height + 1}: ${reasonOf(error)}`;
  }
}

interface Common {
  readonly genesis: Genesis;
  readonly signer: Signer;
  readonly store: Store;
  readonly governor: Governor;
  readonly run: ChainPorts["runContracts"];
}

/** A chain that nobody speaks to: what is its peers' is not there. */
function portsOf({ genesis, signer, store, governor, run }: Common, chain: ChainPorts["chain"]): ChainPorts {
  const self: Member = { id: keyId(signer.key), name: "archive", key: signer.key };
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  return {
    ...{ genesis, chain, self, signer, store, governor, log, verify: nodeVerify, verifyAsync, verifyRecords },
    ...{ verifyRecordsLater, runContracts: run },
    timeouts: localTimeouts,
    batch: { interval_ms: 200, records_max: 1_000 },
    now_ms: Date.now,
    monotonic_ms: () => performance.now(),
    peers: () => [],
    unsent_bytes: () => 0,
    anchors: () => [],
    onRunFault() {},
    onDisagreement(error) {
      throw error;
    },
    setTimer() {},
    clearTimer() {},
    send() {},
    charge() {},
    onDropped() {},
    onSealed() {},
    onFatal(error) {
      throw error;
    },
  };
}
