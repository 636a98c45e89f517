// I40: of what members keep f of them open nothing, whoever they are, and all correct ones together everything that correct origins have
// encrypted. Opened as who holds a grant opens it.

import { equalBytes, fromHex, toHex } from "../../../../src/wire/bytes.js";
import { parseDivision } from "../../../../src/wire/division.js";
import { parseEnvelope } from "../../../../src/wire/envelope.js";
import { sha256 } from "../../../../src/wire/hash.js";
import { faults } from "../../../../src/wire/quorum.js";
import { decodeDisclosures, type SealedDisclosures } from "../../../../src/wire/sealed-disclosure.js";
import { openDisclosures } from "../../../crypto/day-key.js";
import { type DeliveredShares, dayKeys } from "../../../crypto/delivered-shares.js";
import { sealedDisclosures, sealedKey } from "../../../node/chain/tables/sealed-disclosures.js";
import { ownShare } from "../../../node/disclosures/shares.js";
import { divisions } from "../../../node/disclosures/tables/divisions.js";
import { envelopes } from "../../../node/disclosures/tables/envelopes.js";
import { createSimulatedCiphers, simulatedCustody } from "../world/ciphers.js";
import type { SimulatedNode } from "../world/node-world.js";
import type { HoldingsPorts } from "./hidden-holdings.js";
import type { Fail } from "./violation.js";

const FEW = "I40 f members open nothing of what is hidden";
const ALL = "I40 correct members together open what is hidden";

type Envelopes = DeliveredShares["envelopes"];

/** Throws nothing: what it finds it tells. */
export async function checkOpening(
  ports: HoldingsPorts,
  {
    nodes,
    correct,
    fail,
  }: { readonly nodes: readonly SimulatedNode[]; readonly correct: readonly SimulatedNode[]; readonly fail: Fail },
): Promise<void> {
  const { membership, hidden } = ports;
  for (const { service } of membership.chains) {
    const members = membership.current(service).map(({ id }) => toHex(id));
    if (members.length < 2) continue;
    for (const few of subsets(members, Math.max(1, faults(members.length)))) {
      const keys = await keysOf(
        ports,
        nodes.filter(({ id }) => few.includes(id)),
        service,
      );
      for (const id of keys.keys()) fail(FEW, `${few.join(" and ")} have the key of ${id} on chain ${service}`);
    }
    const keepers = correct.filter(({ id }) => members.includes(id));
    const keys = await keysOf(ports, keepers, service);
    for (const { chain, origin, record } of hidden.readings) {
      if (chain !== service) continue;
      const place = { kid: record.kid, seq: record.claims.seq, recordHash: record.hash };
      const sealed = keepers[0]?.disk.rows.get(sealedDisclosures, sealedKey({ chain, origin }, place));
      if (sealed === undefined || hidden.isTrue(origin, sealed) !== true) continue;
      if (areTooFew(ports, keepers, service, sealed)) continue;
      const key = keys.get(toHex(sealed.envelope));
      const plaintext = key === undefined ? undefined : openDisclosures(key, sealed);
      const opened = plaintext === undefined ? [] : decodeDisclosures(plaintext).map(sha256);
      const isIt =
        opened.length > 0 && opened.every((each) => record.claims.digests!.some((one) => equalBytes(one, each)));
      if (!isIt) fail(ALL, `${chain}/${toHex(record.kid)}/${record.claims.seq} of ${toHex(origin)} stays closed`);
    }
  }
}

/** Whether fewer of the envelope's custodians are members still than open it: then nobody can. */
function areTooFew(
  { genesis }: HoldingsPorts,
  keepers: readonly SimulatedNode[],
  service: number,
  { envelope: id }: Pick<SealedDisclosures, "envelope">,
): boolean {
  const rows = keepers.flatMap(({ disk }) => disk.rows.all(envelopes, service));
  const envelope = rows
    .map(({ row }) => parseEnvelope(genesis.hash, row.bytes))
    .find((each) => equalBytes(each.id, id));
  if (envelope === undefined) return false;
  const left = envelope.custodians.filter(({ node }) => keepers.some((keeper) => keeper.id === toHex(node)));
  return left.length < envelope.threshold;
}

/** Day keys that these can put together, by their envelopes' ids. */
async function keysOf(
  { genesis, random }: HoldingsPorts,
  nodes: readonly SimulatedNode[],
  service: number,
): Promise<Map<string, Uint8Array>> {
  const ciphers = createSimulatedCiphers(random);
  const all: Envelopes = new Map();
  for (const { id, disk } of nodes) {
    const keeper = { self: fromHex(id)!, custody: simulatedCustody(id), ciphers };
    for (const { row } of disk.rows.all(envelopes, service)) {
      const envelope = parseEnvelope(genesis.hash, row.bytes);
      const name = toHex(envelope.id);
      const known = all.get(name) ?? { envelope, shares: new Map(), divisions: new Map() };
      all.set(name, known);
      const share = ownShare(keeper, envelope, row);
      if (share !== undefined) known.shares.set(id, share);
    }
    for (const { row } of disk.rows.all(divisions, service)) {
      const division = parseDivision(genesis.hash, row.bytes);
      const part = ownShare(keeper, division, row);
      const known = all.get(toHex(division.envelope));
      if (part === undefined || known === undefined) continue;
      const parts = known.divisions.get(toHex(division.id)) ?? { division, parts: new Map() };
      known.divisions.set(toHex(division.id), parts);
      parts.parts.set(id, part);
    }
  }
  return dayKeys({ envelopes: all });
}

function subsets(of: readonly string[], size: number): string[][] {
  if (size === 0) return [[]];
  return of.flatMap((first, place) => subsets(of.slice(place + 1), size - 1).map((rest) => [first, ...rest]));
}
