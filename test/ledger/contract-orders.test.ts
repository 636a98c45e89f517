// What orders make of a chain's contracts: which are in force at which height, what does not apply, and that no two take one operation.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { toHex } from "../../src/wire/bytes.js";
import { encodeCbor } from "../../src/wire/cbor.js";
import {
  type ContractAction,
  type InstallAction,
  type ParametersAction,
  type ParameterValue,
  type RetireAction,
  signTried,
  sourceHash,
  withSource,
} from "../../src/wire/contract-order.js";
import { sha256 } from "../../src/wire/hash.js";
import { type Action, issueOrder, readOrder } from "../../src/wire/order.js";
import { quorum } from "../../src/wire/quorum.js";
import { countTurns } from "../../tools/contracts/counting.js";
import { prelude } from "../../tools/contracts/prelude.js";
import { rulesNamed, rulingAt } from "../../tools/ledger/contract-centre.js";
import {
  CHAIN_CONTRACTS_MAX,
  contractsAt,
  JURISDICTIONS_MAX,
  noContracts,
  type OrderedContracts,
  orderContract,
} from "../../tools/ledger/contract-orders.js";
import { newestEngine } from "../../tools/ledger/engines.js";
import { CONTRACTS_SERVICE, type Governance, govern, initialGovernance } from "../../tools/ledger/governance.js";
import { readEngine } from "../../tools/node/contracts/sandbox.js";
import { network } from "../wire/governed-network.js";
import { scriptOf } from "../wire/stranger-contracts.js";
import { readGenesis } from "../wire/stranger-genesis.js";
import { noOrders, takeOrder } from "../wire/stranger-orders.js";

const source = "export const reads = [], writes = []; export function operation() {}";

function install(name: string, fromHeight: number, change: Partial<InstallAction> = {}): InstallAction {
  const rest = {
    version: 1,
    source: sourceHash(source),
    budget: 1_000,
    pages: 256,
    output: 65_536,
    types: [1],
    messages: [],
    ready: [],
  };
  const vectors = new Uint8Array(32);
  return { type: "install", service: 1, name, ...newestEngine, ...rest, vectors, fromHeight, ...change };
}

/** With READY of the first so many members of its chain. */
function tried(action: InstallAction, count = 4): InstallAction {
  const { members } = network.genesis.chains.find(({ service }) => service === action.service)!;
  const signers = members.map(({ id }) => network.nodes.find((node) => toHex(node.id) === toHex(id))!.signer);
  return { ...action, ready: signTried(network.genesis.hash, action, signers.slice(0, count)) };
}

function parameters(contract: string, fromHeight: number, jurisdiction?: string, limit: ParameterValue = 1) {
  const action: ParametersAction = {
    type: "parameters",
    service: 1,
    contract,
    jurisdiction,
    parameters: new Map([["limit", limit]]),
    fromHeight,
  };
  return action;
}

const retire = (name: string, fromHeight: number): RetireAction => ({ type: "retire", service: 1, name, fromHeight });

/** What these orders come to, each in the contracts block of its place. */
function ordered(...actions: readonly ContractAction[]): OrderedContracts {
  return actions.reduce((contracts, action, index) => {
    const result = orderContract(contracts, { action, source, contractsHeight: index + 1 });
    assert.equal(result.type, "ordered", result.type === "refused" ? result.reason : "");
    return result.type === "ordered" ? result.contracts : contracts;
  }, noContracts);
}

function refusal(contracts: OrderedContracts, action: ContractAction, withIt: string | undefined = source): string {
  const result = orderContract(contracts, { action, source: withIt, contractsHeight: 99 });
  return result.type === "refused" ? result.reason : "";
}

const inForce = (contracts: OrderedContracts, height: number, judgedAt = 99, service = 1) =>
  contractsAt(contracts, { service, height, judgedAt }).map(({ install: { name, version } }) => `${name} ${version}`);

test("a contract is there from its height on, once the chain is judged at its order, until it is retired", () => {
  const contracts = ordered(install("limits", 10), install("limits", 20, { version: 3 }), retire("limits", 30));
  assert.deepEqual(inForce(contracts, 9), []);
  assert.deepEqual(inForce(contracts, 10), ["limits 1"]);
  assert.deepEqual(inForce(contracts, 20), ["limits 3"]);
  assert.deepEqual(inForce(contracts, 20, 1), ["limits 1"]);
  assert.deepEqual(inForce(contracts, 20, 0), []);
  assert.deepEqual(inForce(contracts, 30), []);
  assert.deepEqual(inForce(contracts, 30, 2), ["limits 3"]);
  assert.deepEqual(inForce(contracts, 20, 99, 2), []);
});

test("contracts stand in the order of their names, parameters in that of their jurisdictions", () => {
  const contracts = ordered(
    install("z-last", 1, { types: [9] }),
    install("a-first", 1),
    parameters("a-first", 5, "DE-BY"),
    parameters("a-first", 5),
    parameters("a-first", 5, "AT", 2),
    parameters("a-first", 9, "AT", 3),
  );
  assert.deepEqual(inForce(contracts, 5), ["a-first 1", "z-last 1"]);
  const [first, last] = contractsAt(contracts, { service: 1, height: 5, judgedAt: 99 });
  const shown = first!.parameters.map((set) => [set.jurisdiction, set.parameters.get("limit")]);
  assert.deepEqual(shown, [
    [undefined, 1],
    ["AT", 2],
    ["DE-BY", 1],
  ]);
  assert.deepEqual(last!.parameters, []);
  const [later] = contractsAt(contracts, { service: 1, height: 9, judgedAt: 99 });
  assert.equal(later!.parameters[1]!.parameters.get("limit"), 3);
});

test("refuses an unknown engine, a source that is nowhere, a version that does not go up, a height that does not", () => {
  const contracts = ordered(install("limits", 10, { version: 2 }));
  const other = new Uint8Array(32).fill(1);
  assert.match(refusal(contracts, install("limits", 20, { version: 3, engine: other })), /engine 0101.* is unknown/);
  assert.match(refusal(contracts, install("limits", 20, { version: 3, prelude: other })), /engine .* is unknown/);
  assert.match(refusal(contracts, install("limits", 20, { version: 2 })), /version 2 of limits is not above 2/);
  assert.match(refusal(contracts, install("limits", 10, { version: 3 })), /height 10 is not above 10/);
  const elsewhere = { source: sourceHash("other") };
  const next = install("limits", 20, { version: 3, ...elsewhere });
  assert.match(orderedReason(contracts, next), /source .* is not here/);
  assert.equal(orderedReason(contracts, install("limits", 20, { version: 3 })), "");
});

/** As `refusal`, of an order that comes without a source. */
function orderedReason(contracts: OrderedContracts, action: ContractAction): string {
  const result = orderContract(contracts, { action, source: undefined, contractsHeight: 99 });
  return result.type === "refused" ? result.reason : "";
}

test("a version counts on though its contract was retired, and a source stays", () => {
  const contracts = ordered(install("limits", 10, { version: 2 }), retire("limits", 20));
  assert.match(refusal(contracts, install("limits", 30, { version: 2 })), /is not above 2/);
  assert.equal(orderedReason(contracts, install("limits", 30, { version: 3 })), "");
  assert.equal(contracts.sources.get(toHex(sourceHash(source))), source);
});

test("refuses to retire or to set parameters of what there is not", () => {
  const contracts = ordered(install("limits", 10), retire("limits", 20));
  assert.match(refusal(contracts, retire("limits", 30)), /chain 1 has no contract limits/);
  assert.match(refusal(contracts, retire("other", 30)), /has no contract other/);
  assert.match(refusal(contracts, parameters("other", 30)), /never had a contract other/);
  assert.match(refusal(contracts, { ...parameters("limits", 30), service: 2 }), /chain 2 never had/);
  const set = ordered(install("limits", 10), parameters("limits", 12));
  assert.match(refusal(set, parameters("limits", 12)), /height 12 is not above 12/);
  assert.equal(refusal(set, parameters("limits", 12, "DE")), "");
});

test("no two contracts of a chain take one type at any height, whatever is ordered", () => {
  const names = fc.constantFrom("a", "b", "c");
  const types = fc.uniqueArray(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 });
  const actions = fc.array(
    fc.oneof(
      { weight: 4, arbitrary: fc.tuple(names, fc.nat(30), types) },
      fc.tuple(names, fc.nat(30), fc.constant(undefined)),
    ),
    { maxLength: 25 },
  );
  fc.assert(
    fc.property(actions, (list) => {
      let contracts = noContracts;
      for (const [index, [name, from, own]] of list.entries()) {
        const version = index + 1;
        const action =
          own === undefined
            ? retire(name, from + 1)
            : install(name, from + 1, { version, types: own.sort((one, other) => one - other) });
        const result = orderContract(contracts, { action, source, contractsHeight: version });
        if (result.type === "ordered") contracts = result.contracts;
      }
      for (let height = 1; height <= 31; height += 1) {
        for (let judgedAt = 0; judgedAt <= list.length; judgedAt += 1) {
          const taken = contractsAt(contracts, { service: 1, height, judgedAt }).flatMap(
            ({ install: { types } }) => types,
          );
          assert.equal(new Set(taken).size, taken.length, `height ${height}, judged at ${judgedAt}`);
        }
      }
    }),
  );
});

test("refuses a type that another contract has then or later, not one that it gave up", () => {
  const contracts = ordered(install("a", 10), install("a", 20, { version: 2, types: [2] }));
  assert.match(refusal(contracts, install("b", 15)), /type 1 are taken by contract a/);
  assert.match(refusal(contracts, install("b", 15, { types: [2, 3] })), /type 2 are taken by contract a/);
  assert.equal(refusal(contracts, install("b", 20)), "");
  assert.equal(refusal(contracts, install("b", 15, { service: 2 })), "");
});

test("a chain has 32 contracts, a contract parameters of 256 jurisdictions, and no more", () => {
  const many = Array.from({ length: CHAIN_CONTRACTS_MAX }, (_, index) =>
    install(`c${index}`, 1, { types: [index + 1] }),
  );
  assert.match(refusal(ordered(...many), install("more", 1, { types: [99] })), /has 32 contracts already/);
  const sets = Array.from({ length: JURISDICTIONS_MAX }, (_, index) =>
    parameters("c0", 1, `D${String.fromCharCode(65 + (index % 26))}-${index}`),
  );
  assert.match(refusal(ordered(many[0]!, ...sets), parameters("c0", 1, "AT")), /256 jurisdictions/);
});

test("governance takes orders about contracts of chains that there are; one that is late counts from the next block on", () => {
  const result = (action: Action, governance: Governance = initialGovernance(network.genesis), height = 7) =>
    govern(governance, { number: governance.lastOrder + 1, time_s: 0, action, source }, height);
  assert.equal(result(tried(install("limits", 1))).type, "governed");
  assert.deepEqual(result({ ...install("limits", 1), service: 99 }), {
    type: "refused",
    reason: "there is no chain 99",
  });
  for (const fromHeight of [1, 7, 8]) {
    const late = result(tried({ ...install("limits", fromHeight), service: CONTRACTS_SERVICE }), undefined, 7);
    assert.ok(late.type === "governed", `from height ${fromHeight}`);
    // A block of the contracts chain is judged at one before itself.
    const inForceAt = (height: number) =>
      contractsAt(late.governance.contracts, { service: CONTRACTS_SERVICE, height, judgedAt: height - 1 }).length;
    assert.deepEqual([7, 8].map(inForceAt), [0, 1], `from height ${fromHeight}`);
  }
});

test("the contract centre derives the script that a stranger does, from any orders, at every place", () => {
  const names = fc.constantFrom("a", "b", "c-d");
  const codes = fc.constantFrom(undefined, "DE", "DE-BY");
  const actions = fc.array(
    fc.oneof(
      fc.tuple(fc.constant("install"), names, fc.integer({ min: 1, max: 12 }), fc.nat(3), fc.nat(4)),
      fc.tuple(fc.constant("retire"), names, fc.integer({ min: 1, max: 12 }), fc.nat(3)),
      fc.tuple(fc.constant("parameters"), names, fc.integer({ min: 1, max: 12 }), fc.nat(3), codes),
    ),
    { maxLength: 20 },
  );
  const { genesis } = network;
  fc.assert(
    fc.property(actions, (list) => {
      let governance = initialGovernance(genesis);
      const stranger = noOrders(readGenesis(network.genesisBytes));
      for (const [index, [kind, name, from, type, last]] of list.entries()) {
        const action =
          kind === "retire"
            ? retire(name, from)
            : kind === "install"
              ? tried(install(name, from, { version: index + 1, types: [type + 1] }), Number(last) + 2)
              : parameters(name, from, last as string | undefined, index);
        const number = governance.lastOrder + 1;
        const issued = issueOrder({ number, time_s: 1, action }, genesis, network.authority);
        const bytes = kind === "install" ? withSource(issued, source) : issued;
        const result = govern(governance, readOrder(bytes), index + 1);
        if (result.type === "governed") governance = result.governance;
        else {
          // A chain that holds it is worth nothing from there on: the stranger's copy is given up.
          const copy = structuredClone({ ...stranger.contracts });
          assert.throws(() =>
            takeOrder({ ...stranger, contracts: copy }, readGenesis(network.genesisBytes), bytes, index + 1),
          );
          continue;
        }
        takeOrder(stranger, readGenesis(network.genesisBytes), bytes, index + 1);
      }
      for (let height = 1; height <= 13; height += 3) {
        for (let judgedAt = 0; judgedAt <= list.length; judgedAt += 4) {
          const { script } = rulingAt("gs1/rules/2", governance, { service: 1, height, judgedAt });
          assert.deepEqual(Buffer.from(script), scriptOf(stranger.contracts, 1, height, judgedAt));
          assert.equal(rulesNamed(script), "gs1/rules/2");
        }
      }
    }),
    { numRuns: 60 },
  );
});

test("bytes that are no script name no rules", () => {
  for (const script of [
    Buffer.from("gs1/rules/1"),
    Buffer.alloc(0),
    encodeCbor(["gs1/rules/2"]),
    encodeCbor([1, 2, 3, 4]),
  ]) {
    assert.equal(rulesNamed(script), undefined);
  }
});

test("names the engine and the prelude that contracts run in", async () => {
  assert.equal(toHex(newestEngine.engine), toHex(sha256(countTurns(await readEngine()))));
  assert.equal(toHex(newestEngine.prelude), toHex(sha256(new TextEncoder().encode(prelude))));
});

test("a contract is installed once a quorum of its chain's members has run its vectors, and nobody else's READY counts", () => {
  const { genesis } = network;
  const untried = install("a", 5);
  const ordered = (ready: InstallAction["ready"]) =>
    govern(initialGovernance(genesis), { number: 1, time_s: 1, action: { ...untried, ready }, source }, 1);
  const { length } = genesis.chains.find(({ service }) => service === 1)!.members;
  const { ready } = tried(untried, length);
  const needed = quorum(length);
  assert.equal(ordered(ready.slice(0, needed)).type, "governed");
  const reason = `${needed - 1} of ${length} members of chain 1 have run the vectors of a, and it takes ${needed}`;
  assert.deepEqual(ordered(ready.slice(1, needed)), { type: "refused", reason });
  const foreign = ordered([...ready, ...signTried(genesis.hash, untried, [network.authority])]);
  assert.match(foreign.type === "refused" ? foreign.reason : "governed", /which is no member of chain 1/);
});
