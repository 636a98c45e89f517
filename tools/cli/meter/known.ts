// The meters that a node or exported chains have sealed records of: how each stands by its credential and by sealed orders, its newest
// record, and how late that was. What is read is taken for what it says: `chain audit` proves it.

import { decodeBlock } from "../../../src/wire/block.js";
import { toHex } from "../../../src/wire/bytes.js";
import { isDevice, parseCredential } from "../../../src/wire/credential.js";
import { WireError } from "../../../src/wire/error.js";
import type { Genesis } from "../../../src/wire/genesis.js";
import { noticesOf } from "../../../src/wire/notice.js";
import { type Order, verifyOrder } from "../../../src/wire/order.js";
import { paperServices } from "../../../src/wire/services.js";
import { nodeVerify } from "../../crypto/signatures.js";
import { GridsealError } from "../../errors.js";
import { readGenesisFile } from "../../files/genesis-file.js";
import {
  CONTRACTS_SERVICE,
  type Governance,
  govern,
  holderStanding,
  initialGovernance,
} from "../../ledger/governance.js";
import type { HolderRow } from "../../routes/holders.js";
import { exportedHolders } from "../../sources/exported-holders.js";
import { openFileSource } from "../../sources/file.js";
import type { ReceiptSource } from "../../sources/source.js";

/** `early`: its credential is not valid yet. The others as orders and the credential's end make them. */
export const meterStates = ["valid", "early", "expired", "suspended", "ended", "revoked"] as const;
export type KnownState = (typeof meterStates)[number];

/** A meter on one chain. */
export interface KnownMeter {
  /** id of its key */
  readonly meter: string;
  /** that the authority issued */
  readonly id: string;
  readonly service: number;
  readonly chain: string;
  readonly state: KnownState;
  /** seconds of Unix time, as those below */
  readonly expires_s: number;
  /** highest sealed number */
  readonly number: number;
  /** numbers below that are not sealed and may still come */
  readonly missing: number;
  /** of the record with that number by the meter's clock; undefined where the node keeps it no more */
  readonly time_s: number | undefined;
  /** of the block that seals it */
  readonly sealed_s: number | undefined;
}

export interface KnownMeters {
  readonly meters: readonly KnownMeter[];
  /** the moment that states and ages are of: now, or the newest block of the files */
  readonly asOf_s: number;
  /** Whether sealed orders were read: without them nobody is known to be revoked. */
  readonly hasOrders: boolean;
}

/** The standing of a holder by its credential and by orders. */
interface Judging {
  readonly governance: Governance | undefined;
  readonly asOf_s: number;
}

/** Of all chains of a node, or of one. */
export async function metersOfNode(source: ReceiptSource, service: number | undefined): Promise<KnownMeters> {
  const { governanceOf } = await import("../../authority/orders.js");
  const governance = await governanceOf(await source.genesis(), source.orders());
  const asOf_s = Math.floor(Date.now() / 1_000);
  const judging = { governance, asOf_s };
  const meters: KnownMeter[] = [];
  for (const chain of await source.chains()) {
    if (service !== undefined && chain.service !== service) continue;
    for await (const row of source.holders(chain.service)) {
      meters.push(...meterToldBy(source.origin, row, { service: chain.service, chain: chain.name }, judging));
    }
  }
  return { meters, asOf_s, hasOrders: true };
}

/** Throws CHAIN_INVALID where the node's word on a credential is none. */
function meterToldBy(
  origin: string,
  row: HolderRow,
  of: Pick<KnownMeter, "service" | "chain">,
  judging: Judging,
): KnownMeter[] {
  try {
    return meterIn(row, of, judging);
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    const message = `${origin}: the credential of ${toHex(row.kid)} on ${of.chain} cannot be read: ${cause.message}`;
    throw new GridsealError("CHAIN_INVALID", message, { cause });
  }
}

/** Of exported chains. Orders are read where the contracts chain is among them and the genesis is named. */
export async function metersOfFiles(files: readonly string[], genesisFile: string | undefined): Promise<KnownMeters> {
  const exported: Awaited<ReturnType<typeof exportedHolders>>[] = [];
  let governance: Governance | undefined;
  for (const file of files) {
    const found = await exportedHolders(file);
    exported.push(found);
    if (found.service === CONTRACTS_SERVICE && genesisFile !== undefined) {
      governance = await governanceIn(file, (await readGenesisFile(genesisFile)).genesis);
    }
  }
  const asOf_s = Math.floor(Math.max(...exported.map(({ time_ms }) => time_ms)) / 1_000);
  const meters = exported.flatMap(({ service, holders }) => {
    const chain = paperServices.get(service) ?? `service-${service}`;
    return holders.flatMap((row) => meterIn(row, { service, chain }, { governance, asOf_s }));
  });
  return { meters, asOf_s, hasOrders: governance !== undefined };
}

function meterIn(row: HolderRow, of: Pick<KnownMeter, "service" | "chain">, judging: Judging): KnownMeter[] {
  const credential = parseCredential(row.credential);
  if (!isDevice(credential)) return [];
  const { subject: id, notBefore_s, expires_s } = credential;
  const { high: number, missing, time_s, sealed_s } = row;
  const meter = toHex(row.kid);
  const state = stateOf(meter, { notBefore_s, expires_s }, judging);
  return [{ meter, id, ...of, state, expires_s, number, missing, time_s, sealed_s }];
}

function stateOf(
  meter: string,
  { notBefore_s, expires_s }: { readonly notBefore_s: number; readonly expires_s: number },
  { governance, asOf_s }: Judging,
): KnownState {
  const standing = governance === undefined ? "good" : holderStanding(governance, meter);
  if (standing !== "good") return standing;
  if (asOf_s < notBefore_s) return "early";
  return asOf_s >= expires_s ? "expired" : "valid";
}

/** What the orders of an exported contracts chain come to; those that do not follow took no effect there either. */
async function governanceIn(file: string, genesis: Genesis): Promise<Governance> {
  let governance = initialGovernance(genesis);
  for await (const bytes of openFileSource(file).blocks(0, 1)) {
    const { height, batches } = decodeBlock(bytes);
    for (const notice of batches.flatMap(({ notices }) => noticesOf(notices, "order"))) {
      const order = orderIn(notice, genesis);
      const governed = order && govern(governance, order, height);
      if (governed?.type === "governed") governance = governed.governance;
    }
  }
  return governance;
}

function orderIn(bytes: Uint8Array, genesis: Genesis): Order | undefined {
  try {
    return verifyOrder(bytes, genesis, nodeVerify);
  } catch {
    return undefined;
  }
}
