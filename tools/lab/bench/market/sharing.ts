// What services cost for so many points: readings settled, shares of communities, operations of their members. A chain takes some 1,500
// points in communities; more are on chains alike, of which one is run.

import { fileURLToPath } from "node:url";
import type { Value } from "../../../../src/wire/value.js";
import { operationTypes as types } from "../../../market/community/types.js";
import { energiesAt, type HomeEnergy, SLOT_S } from "./homes.js";
import { type Called, MemoryChain, type Said } from "./memory-chain.js";
import { MeteredPoints, pointOf } from "./metered.js";
import { terms } from "./reckoning.js";

const COMMUNITY = fileURLToPath(new URL("../../../market/community/community.ts", import.meta.url));
/** docs/communities.md: points in all communities of a chain, and in one of them. */
const CHAIN_POINTS_MAX = 1_500;
const COMMUNITY_POINTS_MAX = 500;
/** Rows that a contract is shown at once. */
const SHOWN_TOGETHER = 500;
const OWNERS_TOGETHER = 50;
const YEAR_SLOTS = 35_040;
/** Energies that are kept for corrections, and rows of slots that a node keeps. */
const KEPT_SLOTS = 2_976;
/** 2026-06-01T09:00:00Z: there is sun. */
const BEGIN_S = 1_780_304_400;
const manager = { participant: "aa".repeat(8), roles: [3] };
const operator = { participant: "bb".repeat(8), roles: [5] };

export interface SharingMeasurement {
  readonly points: number;
  readonly chains: number;
  readonly communities: number;
  /** of all points, by one core */
  readonly slots_per_s: number;
  /** an invitation or a consent */
  readonly operations_per_s: number;
  /** bytes a point and year */
  readonly readings_bytes: number;
  readonly sealed_bytes: number;
  /** bytes a point that stay as they are from the 31st day on */
  readonly kept_bytes: number;
  /** energies of the points that were run by slot, and what each community's effects say of them */
  readonly slots: readonly SharedSlot[];
}

export interface SharedSlot {
  readonly start_s: number;
  readonly energies: readonly HomeEnergy[];
  readonly said: readonly Said[];
}

export async function measureSharing(points: number, slots: number): Promise<SharingMeasurement> {
  const chains = Math.ceil(points / CHAIN_POINTS_MAX);
  const own = Math.ceil(points / chains);
  const communities = Math.ceil(own / COMMUNITY_POINTS_MAX);
  const chain = await MemoryChain.install([
    { name: "community", file: COMMUNITY, parameters: { managed_max: communities } },
  ]);
  const found_ms = await found(chain, own, communities);
  const metered = new MeteredPoints(own, BEGIN_S, () => performance.now());
  const before = { sealed: chain.sealed_bytes, kept: chain.kept_bytes, readings: metered.records_bytes };
  const shared: SharedSlot[] = [];
  let share_ms = 0;
  const settled_ms = metered.settle_ms;
  for (let slot = 0; slot < slots; slot += 1) {
    const start_s = BEGIN_S + slot * SLOT_S;
    const energies = energiesAt(own, start_s);
    const calls = callsFor(start_s, metered.slot(start_s, energies));
    const begin_ms = performance.now();
    const said = await chain.call(start_s + SLOT_S, calls);
    share_ms += performance.now() - begin_ms;
    shared.push({ start_s, energies, said });
  }
  const seconds = (share_ms + metered.settle_ms - settled_ms) / 1_000;
  const a_year = (bytes: number) => (bytes / slots / own) * YEAR_SLOTS;
  return {
    ...{ points, chains, communities: communities * chains },
    slots_per_s: slots / seconds / chains,
    operations_per_s: (2 * own) / (found_ms / 1_000),
    readings_bytes: a_year(metered.records_bytes - before.readings),
    sealed_bytes: a_year(chain.sealed_bytes - before.sealed),
    kept_bytes: ((chain.kept_bytes - before.kept) / slots / own) * KEPT_SLOTS + before.kept / own,
    slots: shared,
  };
}

/** The community of a home: they are as large as each other. */
export function communityOf(home: number, communities: number): string {
  return `community-${home % communities}`;
}

/** Milliseconds that invitations and consents take. */
async function found(chain: MemoryChain, points: number, communities: number): Promise<number> {
  const time_s = BEGIN_S - SLOT_S;
  const homes = Array.from({ length: points }, (_, home) => home);
  const owner = (home: number) => ({ participant: `d${pointOf(home).slice(1)}`, roles: [2] });
  for (let number = 0; number < communities; number += 1) {
    const community = communityOf(number, communities);
    await chain.call(time_s, [operationOf(manager, types.found, { community, name: community, ...terms })]);
  }
  for (let first = 0; first < points; first += OWNERS_TOGETHER) {
    const together = homes.slice(first, first + OWNERS_TOGETHER);
    const owned = together.map((home) => [pointOf(home), owner(home).participant, null]);
    await chain.call(time_s, [operationOf(operator, types.owners, { points: owned })]);
  }
  const begin_ms = performance.now();
  for (const home of homes) {
    const part = { community: communityOf(home, communities), point: pointOf(home), factor: 10_000, key: 0 };
    const calls = [operationOf(manager, types.invite, part), operationOf(owner(home), types.join, part)];
    await chain.call(time_s, calls);
  }
  return performance.now() - begin_ms;
}

function operationOf(signer: typeof manager, type: number, body: Value): Called {
  const argument = { ...signer, type, jurisdiction: null, seq: 0, time_s: 0, body };
  return { contract: "community", entry: "operation", argument };
}

/** The rows of a slot as a contract is shown them. */
function callsFor(start_s: number, rows: ReturnType<MeteredPoints["slot"]>): Called[] {
  const calls: Called[] = [];
  for (let first = 0; first < rows.length; first += SHOWN_TOGETHER) {
    const points = rows.slice(first, first + SHOWN_TOGETHER).map(({ point, imported, exported, quality, doubts }) => {
      return [point, imported, exported, quality, doubts];
    });
    const argument = { start_s, length_s: SLOT_S, count: rows.length, first, points };
    calls.push({ contract: "community", entry: "slot", argument });
  }
  return calls;
}
