// What the authority of a simulation orders of contracts: it installs generated ones, sets their parameters, retires them and installs
// them again, on any chain with records. Some of what it offers does not hold.

import { toHex } from "../../../../src/wire/bytes.js";
import { type ContractAction, type InstallAction, signTried } from "../../../../src/wire/contract-order.js";
import { keyId, type Signer } from "../../../../src/wire/key.js";
import { quorum } from "../../../../src/wire/quorum.js";
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
  readonly genesisHash: Uint8Array;
  /** of all nodes */
  readonly signers: readonly Signer[];
  readonly membership: Membership;
  readonly heights: ReadonlyMap<number, number>;
}

const names = Object.keys(generatedTypes);

export function createContractFaults(ports: ContractFaultPorts): ContractFaults {
  const { random, membership, heights, genesisHash } = ports;
  const signerOf = new Map(ports.signers.map((signer) => [toHex(keyId(signer.key)), signer]));

  /** A quorum or more of the chain's members have run its vectors. */
  const tried = (action: InstallAction): InstallAction => {
    const signers = membership.ordered(action.service).members.map(({ id }) => signerOf.get(toHex(id))!);
    const needed = quorum(signers.length);
    const first = random.below(signers.length);
    const ready = [...signers.slice(first), ...signers.slice(0, first)];
    const count = needed + random.below(signers.length - needed + 1);
    return { ...action, ready: signTried(genesisHash, action, ready.slice(0, count)) };
  };

  const chosen = () => {
    const services = membership.chains.map(({ service }) => service).filter((service) => service !== CONTRACTS_SERVICE);
    const service = random.pick(services);
    const name = random.pick(names);
    const { last, version, parametersFrom } = membership.contracts.ordered(service, name);
    const soon = (heights.get(service) ?? 0) + random.below(4);
    return { service, name, last, version, parametersFrom, soon };
  };

  const install = ({ service, name, last, version, soon }: ReturnType<typeof chosen>) => {
    const fromHeight = Math.max(1, soon, (last?.fromHeight ?? 0) + 1);
    const place = { service, name, version: version + 1 + random.below(2), fromHeight };
    const { action, source } = generateContract(random, place);
    return { action: tried(action), source };
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
      const { ready } = action;
      const few = ready.slice(0, quorum(membership.ordered(place.service).members.length) - 1);
      const broken = ready.map(({ key, signature }) => ({ key, signature: signature.map((byte) => byte ^ 1) }));
      const resigned = (changed: InstallAction): Drawn => ({ action: tried(changed), source });
      const offences: readonly (Drawn | undefined)[] = [
        resigned({ ...action, engine: random.bytes(32) }),
        resigned({ ...action, prelude: random.bytes(32) }),
        { action },
        { action: { ...action, ready: few }, source },
        { action: { ...action, ready: broken }, source },
        // Its nodes have run other vectors, or under other limits.
        { action: { ...action, vectors: random.bytes(32) }, source },
        { action: { ...action, budget: action.budget + 1 }, source },
        place.version === 0 ? undefined : { action: { ...action, version: place.version }, source },
        place.version === 0
          ? { action: { type: "retire", service: place.service, name: place.name, fromHeight: 9 } }
          : undefined,
      ];
      return random.pick(offences);
    },
  };
}
