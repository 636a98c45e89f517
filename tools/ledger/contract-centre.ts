// The contract centre (Wang et al. 2019), pure: from the orders, a chain and a height to the script that a block there is judged by.
// Every node derives it alike; a block that names another is refused.

import { type CborValue, decodeCbor, encodeCbor } from "../../src/wire/cbor.js";
import { sha256 } from "../../src/wire/hash.js";
import { type ContractInForce, type ContractsPlace, contractsAt } from "./contract-orders.js";
import type { Governance } from "./governance.js";

/** Rules and contracts of a block at one place. */
export interface Ruling {
  /** what stands in the block */
  readonly script: Uint8Array;
  /** by their names */
  readonly contracts: readonly ContractInForce[];
}

/** The name of rules, the engine, the prelude and the contracts: a row of seven each, of at most 32. */
const scriptLimits = { size: 8_192, items: 512 };

/** The script that the rules of this name make of the contracts of a place. */
export function rulingAt(name: string, governance: Governance, place: ContractsPlace): Ruling {
  const contracts = contractsAt(governance.contracts, place);
  // Contracts of one chain share an engine, as there is one; none is named where nothing runs.
  const { engine, prelude } = contracts[0]?.install ?? { engine: none, prelude: none };
  return { script: encodeCbor([name, engine, prelude, contracts.map(scriptRow)]), contracts };
}

/** The name of the rules in a script; undefined where it has none. */
export function rulesNamed(script: Uint8Array): string | undefined {
  try {
    const items = decodeCbor(script, scriptLimits);
    const name = Array.isArray(items) && items.length === 4 ? items[0] : undefined;
    return typeof name === "string" ? name : undefined;
  } catch {
    return undefined;
  }
}

const none = new Uint8Array(0);

function scriptRow({ install, parameters }: ContractInForce): CborValue {
  const { name, version, source, budget, pages, output } = install;
  return [name, version, source, parametersHash(parameters), budget, pages, output];
}

/** SHA-256 of all that jurisdictions set: [* [jurisdiction / null, map]]. */
function parametersHash(parameters: ContractInForce["parameters"]): Uint8Array {
  return sha256(encodeCbor(parameters.map((set) => [set.jurisdiction ?? null, set.parameters])));
}
