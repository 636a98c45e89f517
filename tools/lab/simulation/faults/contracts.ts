// What the authority of a simulation orders of contracts: it installs generated ones, sets their parameters, retires them and installs
// them again, on any chain with records. Some of what it offers does not hold.

import type { ContractAction } from "../../../../src/wire/contract-order.js";
import { CONTRACTS_SERVICE } from "../../../ledger/governance.js";
import { generateContract, generatedTypes, generateParameters } from "../../rig/contracts/generate.js";
import type { Random } from "../../rig/random.js";
import type { Membership } from "../checks/membership.js";

/** An action with the source that travels with it. */
export interface Drawn {
  readonly action: ContractAction;
  readonly source?: string;
}

export interface ContractFaults {
  /** The next action, which holds. */
  draw(): Drawn | undefined;
  /** One that no node may take; undefined where none is at hand. */
  offend(): Drawn | undefined;
}

export interface ContractFaultPorts {
  readonly random: Random;
  readonly membership: Membership;
  readonly heights: ReadonlyMap<number, number>;
}

const names = Object.keys(generatedTypes);

export function createContractFaults({ random, membership, heights }: ContractFaultPorts): ContractFaults {
  const chosen = () => {
    const services = membership.chains.map(({ service }) => service).filter((service) => service !== CONTRACTS_SERVICE);
    const service = random.pick(services);
    const name = random.pick(names);
    const { last, version, parametersFrom } = membership.contracts.ordered(service, name);
    const soon = (heights.get(service) ?? 0) + random.below(4);
    return { service, name, last, version, parametersFrom, soon };
  };

  const install = ({ service, name, last, version, soon }: ReturnType<typeof chosen>): Drawn => {
    const fromHeight = Math.max(1, soon, (last?.fromHeight ?? 0) + 1);
    return generateContract(random, { service, name, version: version + 1 + random.below(2), fromHeight });
  };

  return {
    draw() {
      const place = chosen();
      const { service, name, last, version, parametersFrom, soon } = place;
      if (version === 0 || random.chance(0.35)) return install(place);
      if (last?.type === "install" && random.chance(0.4)) {
        return { action: { type: "retire", service, name, fromHeight: Math.max(soon, last.fromHeight + 1) } };
      }
      const fromHeight = Math.max(1, soon, parametersFrom + 1);
      const rate = membership.lastOrder + 1;
      return { action: generateParameters(random, { service, contract: name, fromHeight, rate }) };
    },
    offend() {
      const place = chosen();
      const { action, source } = install(place);
      if (action.type !== "install") return undefined;
      const offences: readonly (Drawn | undefined)[] = [
        { action: { ...action, engine: random.bytes(32) }, source: source! },
        { action: { ...action, prelude: random.bytes(32) }, source: source! },
        { action },
        place.version === 0 ? undefined : { action: { ...action, version: place.version }, source: source! },
        place.version === 0
          ? { action: { type: "retire", service: place.service, name: place.name, fromHeight: 9 } }
          : undefined,
      ];
      return random.pick(offences);
    },
  };
}
