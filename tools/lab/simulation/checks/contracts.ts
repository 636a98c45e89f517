// What contracts may come to, stated here once more and on its own: which of them are in force at a height, which operations they
// take, and what a run's effects, violations and denials must say of their operation (I26 to I32). Nothing runs here.

import { type Block, blockTree, effectHashes } from "../../../../src/wire/block.js";
import { toHex } from "../../../../src/wire/bytes.js";
import type { ContractAction, InstallAction } from "../../../../src/wire/contract-order.js";
import { type Entry, entryText, isSameEntry } from "../../../../src/wire/entry.js";
import type { Genesis } from "../../../../src/wire/genesis.js";
import { type AnyRecord, isOperation, type Operation, parseAnyRecord } from "../../../../src/wire/operation.js";
import type { EntryOutcome } from "../../../../src/wire/outcome.js";
import { decodeReceipt, receiptEncoder, verifyInclusionOf } from "../../../../src/wire/receipt.js";
import { decodeOutput, type Value } from "../../../../src/wire/value.js";
import { reasonOf } from "../../../errors.js";
import { kindShare } from "../../../ledger/run-plan.js";
import { type ContractViolation, decodeResults, type Results } from "../../../ledger/violations.js";
import { LISTENER } from "../../rig/contracts/generate.js";
import { createMessageChecks, type MessageChecks } from "./messages.js";
import { createSlotChecks, ROWS_SHOWN, SHOWN, type ShownPart, type SlotChecks } from "./slots.js";
import { createToldChecks } from "./told.js";
import type { Fail } from "./violation.js";

interface Ordered {
  readonly at: number;
  readonly action: ContractAction;
}

/** What the authority has ordered of one contract, sealed or in force or not. */
export interface OrderedContract {
  readonly last: Exclude<ContractAction, { type: "parameters" }> | undefined;
  /** the highest that was installed; 0 before the first */
  readonly version: number;
  /** the highest height that parameters of it count from */
  readonly parametersFrom: number;
}

export interface ContractChecks {
  /** An order is sealed in the contracts block of this height. */
  obey(contractsHeight: number, action: { readonly type: string }): void;
  addParticipant(id: string, jurisdiction: string | undefined): void;
  ordered(service: number, name: string): OrderedContract;
  /** A block is durable on a correct node for the first time. */
  check(block: Block): void;
  /** Whether the run for what a mark names was undone, or never was. */
  isUndone(service: number, mark: string): boolean;
  readonly messages: MessageChecks;
  readonly slots: SlotChecks;
  /** that fell due */
  readonly deadlines: number;
  readonly counts: {
    ordered: number;
    runs: number;
    failed: number;
    expired: number;
    effects: number;
  };
}

const ORDER = "I26 each sealed operation has one outcome, of the contract in force that takes it";
const LIMITS = "I27 a run keeps to its limits, and a block's runs to theirs";
const CROWDED = "I34 nothing fails because of what others have taken of its block";
const UNDONE = "I28 a run that failed leaves nothing";
const SAID = "I29 what a run says stands in its order, with its operation and the parameters of its jurisdiction";
const DUE = "I33 a deadline falls due once, when its time has come";
const PROVED = "I30 outcomes, effects and messages are leaves with receipts that verify";

export function createContractChecks(genesis: Genesis, fail: Fail): ContractChecks {
  const orders: Ordered[] = [];
  const participants = new Map<string, string | undefined>();
  /** marks of operations whose run was done, by chain */
  const done = new Set<string>();
  /** deadlines that fell due; contracts of a simulation name none twice */
  const due = new Set<string>();
  const counts = { ordered: 0, runs: 0, failed: 0, expired: 0, effects: 0 };
  const messages = createMessageChecks(fail);
  const slots = createSlotChecks(fail);
  const told = createToldChecks(genesis, fail);

  const known = (block: Block) =>
    orders.flatMap(({ at, action }) =>
      at <= block.judgedAt && action.service === block.chain && action.fromHeight <= block.height ? [action] : [],
    );

  /** The contract that takes what the block calls for. */
  const takerOf = (actions: readonly ContractAction[], isTaken: Cause["isTaken"]): InstallAction | undefined =>
    installedBy(actions).find(isTaken);

  /** What `rate` is for whoever is of the jurisdiction: that of its part of the country, of the country, of all. */
  const rateOf = (actions: readonly ContractAction[], contract: string, jurisdiction: string | undefined) => {
    for (const wider of [jurisdiction, jurisdiction?.slice(0, 2), undefined]) {
      const set = actions.findLast(
        (action) => action.type === "parameters" && action.contract === contract && action.jurisdiction === wider,
      );
      if (set?.type === "parameters") return set.parameters.get("rate");
    }
    return 0;
  };

  const checkOutcome = (where: string, block: Block, cause: Cause, outcome: EntryOutcome) => {
    const actions = known(block);
    const { mark, isLate } = cause;
    const taker = takerOf(actions, cause.isTaken);
    const fate = taker === undefined ? "unhandled" : isLate ? "expired" : "ran";
    const found = "contract" in outcome ? "ran" : outcome.type;
    if (fate !== found) return fail(ORDER, `${where}: ${found}, not ${fate}`);
    if (fate === "expired") counts.expired += 1;
    if (taker === undefined || !("contract" in outcome)) return;
    if (outcome.contract !== taker.name) return fail(ORDER, `${where}: ${outcome.contract}, not ${taker.name}`);
    counts.runs += 1;
    if (outcome.used > taker.budget) fail(LIMITS, `${where}: ${outcome.used} of ${taker.budget}`);
    if (outcome.type === "failed") {
      counts.failed += 1;
      const { reason, used } = outcome;
      if (reason === "budget" && used < taker.budget) fail(CROWDED, `${where}: ${used} of ${taker.budget}`);
      return;
    }
    done.add(`${block.chain}/${mark}`);
    const rate = rateOf(actions, taker.name, cause.jurisdiction);
    for (const [index, { body }] of outcome.effects.entries()) {
      const [said, count, stated] = partsOf(body);
      if (said !== mark || count !== index) fail(SAID, `${where}: effect ${index} is ${said} ${count}`);
      if (stated !== rate) fail(SAID, `${where}: effect ${index} of rate ${stated}, not ${rate}`);
    }
    const denials = outcome.type === "denied" ? outcome.denials : [];
    for (const { body } of denials) if (partsOf(body)[0] !== mark) fail(SAID, `${where}: a denial`);
    counts.effects += outcome.effects.length + denials.length;
  };

  /** What the chain's slots come to, and what contracts say of the rows that they are shown. */
  const checkSlots = (block: Block, records: readonly AnyRecord[], results: Results) => {
    const asking = installedBy(known(block)).filter(({ slots: plan }) => plan !== undefined);
    const runs = results.outcomes.filter(({ entry }) => entry.kind === "slot");
    const shown = slots.check({
      ...{ where: whereOf(block), service: block.chain, height: block.height },
      ...{ time_ms: block.time_ms, judgedAt: block.judgedAt, slots: results.slots },
      plan: asking[0]?.slots,
      asking: asking.map(({ name }) => name).sort(),
      readings: records.flatMap((record) =>
        isOperation(record) ? [] : [{ meter: toHex(record.kid), claims: record.claims }],
      ),
      runs: runs.map(shownTo),
    });
    for (const [place, part] of shown.entries()) checkSettled(whereOf(block), part, runs[place]!, fail);
  };

  const checkDue = (where: string, block: Block, entry: Extract<Entry, { kind: "due" }>) => {
    const name = `${block.chain} ${entryText(entry)}`;
    if (entry.time_s * 1_000 > block.time_ms || due.has(name)) fail(DUE, where);
    due.add(name);
  };

  const checkViolation = (where: string, operation: Operation | undefined, { body, subject }: ContractViolation) => {
    counts.effects += 1;
    if (operation === undefined) return fail(SAID, `${where} is of no operation`);
    const isOf = partsOf(body)[0] === markOf(operation) && toHex(subject) === toHex(operation.kid);
    if (!isOf) fail(SAID, `${where}: a violation`);
  };

  return {
    counts,
    messages,
    get deadlines() {
      return due.size;
    },
    slots,
    obey(at, action) {
      slots.obey(at, action);
      if (!isOfContract(action)) return;
      orders.push({ at, action });
      counts.ordered += 1;
    },
    addParticipant: (id, jurisdiction) => void participants.set(id, jurisdiction),
    ordered(service, name) {
      const own = orders.map(({ action }) => action).filter((action) => action.service === service);
      const named = own.flatMap((action) => (action.type !== "parameters" && action.name === name ? [action] : []));
      const set = own.flatMap((action) =>
        action.type === "parameters" && action.contract === name ? [action.fromHeight] : [],
      );
      const versions = named.map((action) => (action.type === "install" ? action.version : 0));
      return { last: named.at(-1), version: Math.max(0, ...versions), parametersFrom: Math.max(0, ...set) };
    },
    check(block) {
      const where = whereOf(block);
      const results = decodeResults(block.results);
      const { outcomes, violations } = results;
      const records = block.batches.flatMap((batch) => batch.records.map(parseAnyRecord));
      const leaves = records.flatMap((record, index) => (isOperation(record) ? [index + 1] : []));
      const operationOf = ({ entry }: { readonly entry: Entry }) => {
        const record = entry.kind === "operation" ? records[entry.leaf - 1] : undefined;
        return record !== undefined && isOperation(record) ? record : undefined;
      };
      const named = outcomes.flatMap(({ entry }) => (entry.kind === "operation" ? [entry.leaf] : []));
      if (named.join() !== leaves.join()) return fail(ORDER, `${where}: leaves ${named.join()}, not ${leaves.join()}`);
      for (const outcome of outcomes) {
        const { entry } = outcome;
        const name = `${where} ${entryText(entry)}`;
        if (entry.kind === "due") checkDue(name, block, entry);
        if (outcome.type === "told") told({ where: name, violations }, outcome.effects);
        const cause = causeOf(block, outcome, operationOf(outcome), participants);
        if (cause !== undefined) checkOutcome(name, block, cause, outcome);
      }
      checkShares(where, outcomes, fail);
      if (!outcomes.some(({ type }) => type === "told")) told({ where, violations }, []);
      messages.check(where, block, outcomes);
      checkSlots(block, records, results);
      for (const violation of violations) {
        if (violation.kind !== "contract") continue;
        const { entry } = violation;
        const hasRun = outcomes.some((other) => isSameEntry(other.entry, entry) && isDone(other));
        checkViolation(`${where} ${entryText(entry)}`, hasRun ? operationOf(violation) : undefined, violation);
      }
      if (outcomes.length > 0) checkReceipts(block, records.length, genesis, fail);
    },
    isUndone: (service, mark) => !done.has(`${service}/${mark}`),
  };
}

/** What the runs for one kind of entry take together. */
function checkShares(where: string, outcomes: readonly EntryOutcome[], fail: Fail): void {
  for (const kind of new Set(outcomes.map(({ entry }) => entry.kind))) {
    const ran = outcomes.filter(({ entry }) => entry.kind === kind);
    const used = ran.reduce((sum, outcome) => sum + ("used" in outcome ? outcome.used : 0), 0);
    if (used > kindShare.budget) fail(LIMITS, `${where}: ${kind} ${used} of ${kindShare.budget}`);
    const said = ran.reduce((sum, outcome) => sum + ("effects" in outcome ? outcome.effects.length : 0), 0);
    if (said > kindShare.emissions) fail(LIMITS, `${where}: ${kind} says ${said} of ${kindShare.emissions}`);
  }
}

/** Each outcome and effect has a receipt. */
function checkReceipts(block: Block, records: number, genesis: Genesis, fail: Fail): void {
  const tree = blockTree(block);
  const receiptOf = receiptEncoder(block, tree);
  for (const [index, hash] of effectHashes(block).entries()) {
    try {
      verifyInclusionOf(decodeReceipt(receiptOf(1 + records + index, hash)), genesis);
    } catch (error) {
      fail(PROVED, `${whereOf(block)} effect ${index}: ${reasonOf(error)}`);
    }
  }
}

/** What a contract of a simulation says of the rows that it is shown. */
function checkSettled(where: string, part: ShownPart, outcome: EntryOutcome, fail: Fail): void {
  if (outcome.type !== "done") return;
  const sum = (of: "imported" | "exported") => part.rows.reduce((total, row) => total + (row[of] ?? 0n), 0n);
  const qualities = part.rows.reduce((total, { quality }) => total + quality, 0);
  const doubts = part.rows.reduce((all, row) => all | row.doubts, 0);
  const wanted = [ROWS_SHOWN * part.part, part.count, sum("imported"), sum("exported"), qualities, doubts].join();
  const said = String(partsOf(outcome.effects[0]!.body)[3]);
  if (said !== wanted) fail(SHOWN, `${where} ${entryText(outcome.entry)}: ${said}, not ${wanted}`);
}

/** I28: what a contract of a simulation keeps names the operation that has written it. */
export function checkKept(
  checks: ContractChecks,
  place: { readonly service: number; readonly where: string },
  value: Uint8Array,
  fail: Fail,
): void {
  const [first, second] = partsOf(value);
  // A deadline has its time before what it says.
  const mark = typeof first === "number" ? (second as readonly Value[])[0] : first;
  if (checks.isUndone(place.service, String(mark))) fail(UNDONE, `${place.where}: written by ${mark}`);
}

/** What a block calls a contract for, as far as checks know of it without running anything. */
interface Cause {
  readonly mark: string;
  isTaken(install: InstallAction): boolean;
  readonly isLate: boolean;
  /** whose parameters hold */
  readonly jurisdiction: string | undefined;
}

function causeOf(
  block: Block,
  outcome: EntryOutcome,
  operation: Operation | undefined,
  participants: ReadonlyMap<string, string | undefined>,
): Cause | undefined {
  const { entry } = outcome;
  if (operation !== undefined) {
    const { type, until_s } = operation.claims;
    return {
      mark: markOf(operation),
      isTaken: ({ types }) => types.includes(type),
      isLate: until_s !== undefined && block.time_ms > until_s * 1_000,
      jurisdiction: participants.get(toHex(operation.kid)),
    };
  }
  const always = { isLate: false, jurisdiction: undefined };
  if (entry.kind === "message") {
    const mark = `message/${entry.service}/${entry.number}`;
    return { ...always, mark, isTaken: (install) => install.name === LISTENER };
  }
  if (entry.kind === "slot") {
    const { contract, start_s, part } = shownTo(outcome);
    const mark = `slot/${contract}/${start_s}/${ROWS_SHOWN * part}`;
    return { ...always, mark, isTaken: ({ name, slots }) => name === contract && slots !== undefined };
  }
  if (entry.kind !== "due") return undefined;
  return { ...always, mark: `due/${entry.time_s}/${entry.key}`, isTaken: ({ name }) => name === entry.contract };
}

/** What is installed by these orders, and not retired. */
function installedBy(actions: readonly ContractAction[]): InstallAction[] {
  const last = new Map<string, ContractAction>();
  for (const action of actions) if (action.type !== "parameters") last.set(action.name, action);
  return [...last.values()].flatMap((action) => (action.type === "install" ? [action] : []));
}

function whereOf({ chain, height }: Block): string {
  return `block ${chain}/${height}`;
}

/** Of a run for rows of a slot. */
function shownTo(outcome: EntryOutcome) {
  const entry = outcome.entry as Extract<Entry, { kind: "slot" }>;
  return { start_s: entry.start_s, part: entry.part, contract: "contract" in outcome ? outcome.contract : "" };
}

function isDone({ type }: EntryOutcome): boolean {
  return type === "done" || type === "denied";
}

function isOfContract(action: { readonly type: string }): action is ContractAction {
  return action.type === "install" || action.type === "parameters" || action.type === "retire";
}

/** As contracts of a simulation name an operation. */
function markOf({ kid, claims }: Operation): string {
  return `${toHex(kid)}/${claims.seq}`;
}

function partsOf(body: Uint8Array): readonly Value[] {
  const value = decodeOutput(body);
  return Array.isArray(value) ? value : [];
}
