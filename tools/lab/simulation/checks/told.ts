// What a block holds against somebody, as its rules tell it to the contracts chain (I38).

import type { Genesis } from "../../../../src/wire/genesis.js";
import type { Effect } from "../../../../src/wire/outcome.js";
import { decodeValue, type Value } from "../../../../src/wire/value.js";
import { CONTRACTS_SERVICE } from "../../../ledger/governance.js";
import type { Fail } from "./violation.js";

const TOLD = "I38 what a block holds against somebody is told to the contracts chain, once";

interface Holding {
  readonly where: string;
  readonly violations: readonly unknown[];
}

/** Holds a block's violations against what it tells: all of them, as no block of a simulation has more than messages hold. */
export function createToldChecks(genesis: Genesis, fail: Fail): (block: Holding, told: readonly Effect[]) => void {
  const hasContracts = genesis.chains.some(({ service }) => service === CONTRACTS_SERVICE);
  return ({ where, violations }, told) => {
    const rows = told.flatMap(({ body }) => (decodeValue(body) as readonly [number, readonly Value[]])[1]);
    const expected = hasContracts ? violations.length : 0;
    const isOwn = told.every(({ to }) => to?.service === CONTRACTS_SERVICE && to.hops === 0);
    if (rows.length !== expected || !isOwn) fail(TOLD, `${where}: ${rows.length} of ${expected}`);
  };
}
