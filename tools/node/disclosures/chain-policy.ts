// What the policy of a chain lets nodes do, as its contract `access` has it for parameters: who may keep shares, and who reads the chain.
// The contract judges by the same parameters what may be asked for.

import { type Role, roles } from "../../../src/wire/credential.js";
import type { ContractInForce } from "../../ledger/contract-orders.js";

/** The contract whose policy and grants count, on every chain that has it. */
export const ACCESS_CONTRACT = "access";
/** Parameters `nodes-PLACE` have ids with commas between. */
const NODES = "nodes-";
/** Numbers of roles with commas between. */
const READERS = "readers";

/** Ids of the members that may keep shares, in their order; all of them where no policy names nodes. */
export function custodiansOf(members: readonly string[], contracts: readonly ContractInForce[]): readonly string[] {
  const named = textsOf(contracts, (name) => name.startsWith(NODES)).flatMap((text) => text.split(","));
  return named.length === 0 ? members : members.filter((member) => named.includes(member));
}

/** Roles that read the chain; undefined where its policy names none. */
export function readersOf(contracts: readonly ContractInForce[]): readonly Role[] | undefined {
  const named = textsOf(contracts, (name) => name === READERS).flatMap((text) => text.split(","));
  return named.length === 0 ? undefined : roles.filter((_, number) => named.includes(String(number)));
}

function textsOf(contracts: readonly ContractInForce[], isWanted: (name: string) => boolean): string[] {
  const orders = contracts.find(({ install }) => install.name === ACCESS_CONTRACT)?.parameters ?? [];
  return orders.flatMap(({ parameters }) =>
    [...parameters].flatMap(([name, value]) => (isWanted(name) && typeof value === "string" ? [value] : [])),
  );
}
