// Several nodes' chains in one process over real stores, with a network that a test can cut.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toHex } from "../../../src/wire/bytes.js";
import { type InstallAction, signTried, withSource } from "../../../src/wire/contract-order.js";
import { issueCredential, issuerName } from "../../../src/wire/credential.js";
import { WireError } from "../../../src/wire/error.js";
import { type Genesis, type GenesisChain, issueGenesis, verifyGenesis } from "../../../src/wire/genesis.js";
import { keyId, type Signer } from "../../../src/wire/key.js";
import { type Action, issueOrder } from "../../../src/wire/order.js";
import { defaultVerifiers } from "../../../src/wire/quorum.js";
import { type Claims, parseRecord, type Record, signRecord } from "../../../src/wire/record.js";
import { localTimeouts } from "../../../tools/consensus/types.js";
import { generateSeed, nodeVerify, signerFromSeed } from "../../../tools/crypto/signatures.js";
import { verifyAsync, verifyRecords, verifyRecordsLater } from "../../../tools/crypto/verifying.js";
import { GridsealError } from "../../../tools/errors.js";
import { govern } from "../../../tools/ledger/governance.js";
import type { RunResult } from "../../../tools/ledger/outcome.js";
import type { ProvedAnchor } from "../../../tools/ledger/proposal.js";
import type { RunPlan } from "../../../tools/ledger/run-plan.js";
import { anchorsBeside } from "../../../tools/node/chain/blocks/anchoring.js";
import { type Chain, createChain } from "../../../tools/node/chain/chain.js";
import { decodeFrame } from "../../../tools/node/chain/frame.js";
import type { SealedBlock } from "../../../tools/node/chain/ports.js";
import { createGovernor, type Governor, orderKey, sealedOrders } from "../../../tools/node/chain/sealed-orders.js";
import { credentials } from "../../../tools/node/chain/tables/credentials.js";
import { createChainContracts } from "../../../tools/node/contracts/node-contracts.js";
import { idKey } from "../../../tools/node/store/keys.js";
import { openStore } from "../../../tools/node/store/open-store.js";
import type { Store } from "../../../tools/node/store/store.js";

export const SERVICE = 1;

export interface TestNode {
  readonly id: string;
  readonly signer: Signer;
  readonly path: string;
  store: Store;
  /** its chain of SERVICE */
  chain: Chain;
  /** all of them by service */
  chains: ReadonlyMap<number, Chain>;
  /** what the orders on its contracts chain come to */
  governor: Governor;
  readonly sealed: SealedBlock[];
  /** why it voted against proposals */
  readonly opposed: string[];
  /** of its own temporary blocks */
  readonly waited_ms: number[];
  up: boolean;
  timers: Map<string, NodeJS.Timeout>;
}

export interface TestMeter {
  readonly signer: Signer;
  readonly kid: Uint8Array;
  readonly credential: Uint8Array;
  next(): Record;
}

export interface TestCluster {
  readonly genesis: Genesis;
  readonly genesisBytes: Uint8Array;
  readonly authority: Signer;
  readonly nodes: TestNode[];
  /** Sees what one node, by its place, sends another, and says whether it gets there. */
  passes: (from: number, to: number, frame: Uint8Array) => boolean;
  /** What a node, by its place, anchors in a chain of its own accord; undefined where it is honest. */
  anchors: (node: number, service: number) => readonly ProvedAnchor[] | undefined;
  meter(service?: number): Promise<TestMeter>;
  /** The order of the authority that has been sealed on the contracts chain, as far as these nodes can tell. */
  order(action: Action, source?: string): Promise<void>;
  /** As they were signed, with the sources that they name. */
  readonly orders: Uint8Array[];
  /** Has contracts run on a node, by its place. */
  /** What a node says of a block that comes to something else there: nothing is expected, where a test does not. */
  onDisagreement: (node: number, error: GridsealError) => void;
  runContracts: (
    node: number,
    run: () => Promise<readonly RunResult[]>,
    plan: RunPlan,
  ) => Promise<readonly RunResult[]>;
  /** Stops a node as kill -9 would: nothing of it runs on. */
  kill(index: number): Promise<void>;
  /** Starts a killed node again; `wiped` has lost its store. */
  restart(index: number, wiped?: boolean): Promise<void>;
  until(condition: () => boolean, what: string): Promise<void>;
  close(): Promise<void>;
}

const LOOK_MS = 25;
/** Looks without a block, and in all, before what is waited for is said not to come. */
const STILL_LOOKS = 1_600;
const LOOKS_MAX = 10 * STILL_LOOKS;

/** `size` nodes, of which the first `membership` make up the chains and the others follow them. */
export async function createCluster(
  size: number,
  target = 0,
  membership = size,
  services: readonly number[] = [SERVICE],
  interval_ms: (index: number) => number = () => 20,
): Promise<TestCluster> {
  const folder = mkdtempSync(join(tmpdir(), "gridseal-"));
  const authority = signerFromSeed(generateSeed());
  const signers = Array.from({ length: size }, () => signerFromSeed(generateSeed()));
  const members = signers.map((signer, index) => ({
    id: keyId(signer.key),
    key: signer.key,
    name: `node-${index + 1}`,
  }));
  const chains = services.map((service) => ({
    service,
    name: `service-${service}`,
    members: members.slice(0, membership),
    target,
    verifiers: defaultVerifiers(membership),
  }));
  const genesisBytes = issueGenesis({ network: "test", time_s: 1, nodes: members, chains }, authority);
  const genesis = verifyGenesis(genesisBytes, nodeVerify);
  /** READY of all members for a contract. */
  const readyFor = (action: InstallAction) => signTried(genesis.hash, action, signers.slice(0, membership));
  const nodes: TestNode[] = [];
  const errors: unknown[] = [];
  const keysUsed = new Set<number>();
  const contracts = signers.map(createChainContracts);

  type Process = Omit<TestNode, "chain" | "chains" | "governor">;

  const run = (node: Process, index: number): Pick<TestNode, "chain" | "chains" | "governor"> => {
    const governor = createGovernor(genesis, node.store);
    const made = new Map<number, Chain>();
    for (const chain of genesis.chains) made.set(chain.service, runChain(node, index, chain, governor, made));
    return { chain: made.get(SERVICE)!, chains: made, governor };
  };

  const runChain = (
    node: Process,
    index: number,
    chain: GenesisChain,
    governor: Governor,
    beside: ReadonlyMap<number, Chain>,
  ): Chain =>
    createChain({
      genesis,
      chain,
      self: members[index]!,
      signer: node.signer,
      store: node.store,
      governor,
      timeouts: localTimeouts,
      batch: { interval_ms: interval_ms(index), records_max: 100 },
      log: {
        debug() {},
        info() {},
        warn(fields, message) {
          if (message === "voting against a proposal") node.opposed.push((fields as { reason: string }).reason);
        },
        error() {},
      },
      verify: nodeVerify,
      verifyAsync,
      verifyRecords,
      verifyRecordsLater,
      runContracts: (plan, unwanted) => cluster.runContracts(index, () => contracts[index]!.run(plan, unwanted), plan),
      onRunFault() {},
      onDisagreement: (error) => cluster.onDisagreement(index, error),
      now_ms: Date.now,
      monotonic_ms: () => performance.now(),
      setTimer(name, delay_ms, callback) {
        clearTimeout(node.timers.get(`${chain.service}/${name}`));
        node.timers.set(`${chain.service}/${name}`, setTimeout(callback, delay_ms));
      },
      clearTimer: (name) => clearTimeout(node.timers.get(`${chain.service}/${name}`)),
      peers: () => nodes.filter(({ id, up }) => up && id !== node.id).map(({ id }) => id),
      send(to, frame) {
        const receiver = nodes.find((candidate) => candidate.id === to);
        if (!cluster.passes(index, receiver === undefined ? -1 : nodes.indexOf(receiver), frame)) return;
        setImmediate(() => {
          if (!node.up || !receiver?.up) return;
          const decoded = decodeFrame(frame)!;
          const of = receiver.chains.get(decoded.chain)!;
          of.onFrame(node.id, decoded).catch((error: unknown) => {
            if (!(error instanceof WireError)) errors.push(error); // a refusal is an answer
          });
        });
      },
      unsent_bytes: () => 0,
      charge(peer, work) {
        if (work === "failure") errors.push(new Error(`${peer} sent a signature that is not good`));
      },
      onDropped() {},
      anchors: () => cluster.anchors(index, chain.service) ?? anchorsBeside(chain.service, beside),
      onSealed(sealed, waited_ms) {
        node.sealed.push(sealed);
        node.waited_ms.push(...waited_ms);
        if (sealed.orders.length > 0) for (const other of beside.values()) other.onGoverned();
      },
      onFatal(error) {
        // Of what was under way when the node was killed, as in a node that stops.
        if (!(error instanceof GridsealError && error.code === "STORE_CLOSED")) errors.push(error);
      },
    });

  const open = (path: string, index: number) =>
    openStore(path, { node: members[index]!.id, genesisHash: genesis.hash }, keysUsed.has(index));

  for (const [index, signer] of signers.entries()) {
    const path = join(folder, `node-${index + 1}`);
    const node = {
      id: toHex(members[index]!.id),
      signer,
      path,
      store: await open(path, index),
      sealed: [],
      opposed: [],
      waited_ms: [],
      up: true,
      timers: new Map<string, NodeJS.Timeout>(),
    };
    nodes.push(Object.assign(node, run(node, index)));
  }

  const stop = async (node: TestNode) => {
    node.up = false;
    for (const chain of node.chains.values()) chain.stop();
    for (const timer of node.timers.values()) clearTimeout(timer);
    await node.store.close();
  };

  const cluster: TestCluster = {
    genesis,
    genesisBytes,
    authority,
    nodes,
    orders: [],
    runContracts: (_node, run) => run(),
    onDisagreement: (_node, error) => void errors.push(error),
    passes: () => true,
    anchors: () => undefined,
    async meter(service) {
      const meter = createMeter(authority, service);
      for (const node of nodes) {
        if (node.up) await node.store.write((writer) => writer.put(credentials, idKey(0, meter.kid), meter.credential));
      }
      return meter;
    },
    async order(asked, source) {
      const up = nodes.filter((node) => node.up);
      const { current } = up[0]!.governor;
      const number = current.lastOrder + 1;
      const action = asked.type === "install" ? { ...asked, ready: readyFor(asked) } : asked;
      const order = { number, time_s: 1, action, ...(source !== undefined && { source }) };
      const issued = issueOrder(order, genesis, authority);
      const bytes = source === undefined ? issued : withSource(issued, source);
      cluster.orders.push(bytes);
      for (const node of up) {
        const governed = govern(node.governor.current, order, number);
        if (governed.type === "refused") throw new Error(governed.reason);
        await node.store.write((writer) =>
          writer.put(sealedOrders, orderKey(number), { contractsHeight: number, bytes }),
        );
        node.governor.advance(governed.governance);
        node.chain.onGoverned();
      }
    },
    kill: (index) => stop(nodes[index]!),
    async restart(index, wiped = false) {
      const node = nodes[index]!;
      if (wiped) rmSync(node.path, { recursive: true });
      keysUsed.add(index);
      node.store = await open(node.path, index);
      node.timers = new Map();
      Object.assign(node, run(node, index));
      node.up = true;
      for (const chain of node.chains.values()) chain.start();
      for (const other of nodes) {
        if (!other.up || other === node) continue;
        for (const chain of other.chains.values()) chain.onPeer(node.id);
        for (const chain of node.chains.values()) chain.onPeer(other.id);
      }
    },
    async until(condition, what) {
      const heightsNow = () => nodes.map((node) => node.chain.head.height).join(", ");
      let heights = heightsNow();
      // A busy machine takes long for blocks: as long as they come, the wait begins anew.
      for (let [look, still] = [0, 0]; still < STILL_LOOKS && look < LOOKS_MAX; look += 1) {
        if (errors.length > 0) throw errors[0];
        if (condition()) return;
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
        still = heightsNow() === heights ? still + 1 : 0;
        heights = heightsNow();
      }
      throw new Error(`still not: ${what}; heights are ${heights}`);
    },
    async close() {
      for (const node of nodes) if (node.up) await stop(node);
      await Promise.all(contracts.map((own) => own.close()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
  for (const node of nodes) for (const chain of node.chains.values()) chain.start();
  return cluster;
}

/** A meter whose credential is the authority's of the network `test`. */
export function createMeter(authority: Signer, service = SERVICE): TestMeter {
  const signer = signerFromSeed(generateSeed());
  const kid = keyId(signer.key);
  const credential = issueCredential(
    {
      issuer: issuerName({ network: "test", authority: authority.key }),
      subject: `meter-${toHex(kid)}`,
      notBefore_s: 0,
      expires_s: 4_000_000_000,
      id: kid,
      key: signer.key,
      statusIndex: 0,
      services: [service],
      roles: ["meter"],
    },
    authority,
  );
  let seq = 0;
  let previous: Uint8Array = new Uint8Array(0);
  return {
    signer,
    kid,
    credential,
    next() {
      const record = makeRecord(signer, kid, { service, seq, previous });
      seq += 1;
      previous = record.hash;
      return record;
    },
  };
}

/** A record of a meter with the given sequence number. */
export function makeRecord(
  signer: Signer,
  kid: Uint8Array,
  given: Pick<Claims, "seq" | "previous"> & Partial<Claims>,
): Record {
  const claims: Claims = {
    service: SERVICE,
    serviceId: 1,
    time_s: 1_700_000_000 + given.seq,
    quality: 2,
    registers: [{ obis: Uint8Array.of(1, 0, 1, 8, 0, 255), value: given.seq, scaler: 0, unit: 30 }],
    ...given,
  };
  return parseRecord(signRecord(claims, [], signer, kid));
}
