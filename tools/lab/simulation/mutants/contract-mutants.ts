// Rules of contracts taken away, one at a time. What runs is the engine of the mutant's own sources: a check that notices it states
// the rule once more, or compares nodes.

import type { Mutant } from "./mutant.js";
import { edit } from "./mutant.js";
import { apart, besieged, contracted, contractedAlone, lied, misrunning, repaired, toiling, told } from "./ordeals.js";

const engine = "tools/contracts/engine.ts";
const entries = "tools/ledger/entries.ts";
const operations = "tools/ledger/operations.ts";
const orders = "tools/ledger/contract-orders.ts";
const sealer = "tools/node/chain/blocks/sealer.ts";

const intake = "tools/ledger/intake.ts";
const takenTwice = [edit(intake, "message.number === before.next", "message.number <= before.next")];
const takenOutOfTurn = [
  edit(intake, "message.number === before.next", "message.number >= before.next"),
  edit(
    "tools/node/parts/messages/carrier.ts",
    "      notices.push(notice);\n",
    "      if (number > next || nextOf.length === 0) notices.push(notice);\n",
  ),
];

export const contractMutants: readonly Mutant[] = [
  {
    name: "keeps-what-failed",
    lacks: "a run that failed leaves nothing",
    edits: [
      edit(
        engine,
        "    if (refused !== undefined) return this.#failed(refused.reason, refused.detail);\n    if (ended !== undefined) return",
        `    const writes = this.#journal.writes;
    if (refused !== undefined) return { ...this.#failed(refused.reason, refused.detail), writes } as Failed;
    if (ended !== undefined) return { ...this.#failed(ended.reason, ended.message), writes } as Failed;
    if (ended !== undefined) return`,
      ),
      edit(
        entries,
        '    if (outcome.type === "failed") continue;\n',
        `    if (outcome.type === "failed") {
      const kept = (outcome as unknown as { writes?: Done["writes"] }).writes ?? [];
      for (const [key, value] of kept) writes.set(\`\${name}/\${key}\`, value ?? undefined);
      continue;
    }
`,
      ),
    ],
    needs: contracted,
  },
  {
    name: "tells-effects-backwards",
    lacks: "effects stand in the order in which a run has said them",
    edits: [
      edit(
        entries,
        'type: "done", contract, used, effects }',
        'type: "done", contract, used, effects: effects.reverse() }',
      ),
    ],
    needs: contracted,
  },
  {
    name: "believes-state-root",
    lacks: "a voter's block has the proposed Merkle root, and with it the state's root",
    edits: [
      edit(
        sealer,
        "const header = encodeHeader({ ...composed.header, nonce });",
        "const header = nonce < 0 ? encodeHeader(composed.header) : Uint8Array.from(body.header);",
      ),
    ],
    needs: misrunning,
  },
  {
    name: "charges-no-run",
    lacks: "a run ends where its budget does",
    edits: [
      edit(
        engine,
        "return BigInt(this.#run.limits.budget) * BigInt(TURNS_PER_BUDGET);",
        "return 3n * BigInt(this.#run.limits.budget) * BigInt(TURNS_PER_BUDGET);",
      ),
      edit(
        engine,
        "return Math.min(Number(spent / BigInt(TURNS_PER_BUDGET)), this.#run.limits.budget);",
        "return Number(spent / BigInt(TURNS_PER_BUDGET));",
      ),
    ],
    needs: contracted,
  },
  {
    name: "fails-what-has-no-room",
    lacks: "a run for which its block has too little left is postponed",
    edits: [
      edit(
        "tools/contracts/run-plan.ts",
        "return isCrowded(ran, left, own.budget) ? postponed : ran;",
        `return isCrowded(ran, left, own.budget)
    ? { type: "failed", reason: "budget", used: limits.budget - 1, detail: "" }
    : ran;`,
      ),
    ],
    needs: besieged,
  },
  {
    name: "shares-a-contracts-output",
    lacks: "a run has its contract's own output, wherever it stands in its block",
    edits: [
      edit(
        "tools/contracts/run-plan.ts",
        "const limits = { ...own, budget: Math.min(own.budget, left.budget) };",
        `const output = Math.max(0, own.output - (kindShare.output - left.output));
  const limits = { ...own, budget: Math.min(own.budget, left.budget), output };`,
      ),
    ],
    needs: contracted,
  },
  {
    name: "asks-for-all-however-slow",
    lacks: "on a slow machine a block calls contracts for less",
    edits: [
      edit(
        "tools/node/chain/blocks/run-pace.ts",
        "return Math.max(1, Math.floor(share));",
        "return Math.max(BLOCK_CALLS_MAX, Math.floor(share));",
      ),
    ],
    needs: toiling,
  },
  {
    name: "takes-any-engine",
    lacks: "a contract is installed for an engine that every node has",
    edits: [edit(orders, "if (!isKnownEngine(action)) return", "if (isKnownEngine === undefined) return")],
    needs: contracted,
  },
  {
    name: "installs-untried",
    lacks: "a contract is installed once a quorum of its chain's members has run its vectors",
    edits: [
      edit(
        "tools/ledger/governance.ts",
        "if (ready.length >= needed) return undefined;",
        "if (needed > 0) return undefined;",
      ),
    ],
    needs: contracted,
  },
  {
    name: "believes-tried",
    lacks: "a node's READY for a contract is verified: it has run these vectors under these limits",
    edits: [
      edit(
        "src/wire/order.ts",
        "checkTried(genesis.hash, action, verify);",
        "checkTried(genesis.hash, action, () => true);",
      ),
    ],
    needs: contracted,
  },
  {
    name: "runs-what-expired",
    lacks: "an operation that comes too late does not run",
    edits: [edit(operations, "place.time_ms > asked.until_s * 1_000", "place.time_ms > asked.until_s * 10_000")],
    needs: contracted,
  },
  {
    name: "runs-what-is-retired",
    lacks: "a retired contract runs no more",
    edits: [edit(orders, "inForce.delete(action.name);", "inForce.has(action.name);")],
    needs: contracted,
  },
  {
    name: "mixes-jurisdictions",
    lacks: "parameters hold for who is of their jurisdiction",
    edits: [edit(entries, "return jurisdiction === wider ||", "return jurisdiction !== undefined ||")],
    needs: contracted,
  },
  {
    name: "takes-fault-for-failure",
    lacks: "what is wrong with this machine is no outcome of a contract",
    edits: [
      edit(
        "tools/node/chain/blocks/contract-runs.ts",
        "        ports.onRunFault();\n",
        `        entry.outcomes = plan.calls.map(() => ({ type: "failed", reason: "threw", used: 0, detail: "" }));
        onReady();
        if (entry.outcomes !== undefined) return;
        ports.onRunFault();
`,
      ),
    ],
    needs: contractedAlone,
  },
  {
    name: "adopts-without-state",
    lacks: "a block from a peer brings the state that its contracts come to",
    edits: [
      edit(
        sealer,
        "return finish(block, replayed, records);",
        "return finish(block, { ...replayed, entries: { ...replayed.entries, writes: new Map() } }, records);",
      ),
    ],
    needs: repaired,
  },
  {
    name: "tells-the-first-violation",
    lacks: "each violation of a block is told to the contracts chain",
    edits: [
      edit(
        "tools/ledger/told.ts",
        "violations.slice(first, first + TOLD_ROWS_MAX)",
        "violations.slice(first, first + 1)",
      ),
    ],
    needs: contracted,
  },
  {
    name: "takes-messages-twice",
    lacks: "a message is taken once",
    edits: takenTwice,
    needs: told,
  },
  {
    name: "takes-messages-out-of-turn",
    lacks: "a message is taken when those before it are",
    edits: takenOutOfTurn,
    needs: told,
  },
  {
    name: "takes-twice-what-is-told",
    lacks: "what the rules tell is taken once, by chains of other members and without contracts too",
    edits: takenTwice,
    needs: apart,
  },
  {
    name: "takes-out-of-turn-what-is-told",
    lacks: "what the rules tell is taken in its turn, by chains of other members and without contracts too",
    edits: takenOutOfTurn,
    needs: apart,
  },
  {
    name: "takes-unproved-messages",
    lacks: "a message is proved by members of its chain",
    edits: [
      edit(
        "tools/ledger/notices.ts",
        "  if (refusals.every((refusal) => refusal !== undefined)) throw refusals[0]!;",
        "  if (refusals.length === 0) throw refusals[0]!;",
      ),
    ],
    needs: lied,
  },
  {
    name: "takes-untimely-notices",
    lacks: "a notice that something is due counts when its time has come",
    edits: [
      edit(
        "tools/ledger/execution.ts",
        "return time_s * 1_000 <= time_ms && nextDue(view.state) === time_s;",
        "return time_s * 1_000 <= time_ms + 3_600_000 && nextDue(view.state) !== undefined;",
      ),
    ],
    needs: { ...lied, behaviours: ["exaggerate"] },
  },
  {
    name: "due-before-its-time",
    lacks: "a deadline falls due when its time has come",
    edits: [
      edit(
        "tools/ledger/deadlines.ts",
        "if (time_s * 1_000 > time_ms) break;",
        "if (time_s * 1_000 > time_ms + 5_000) break;",
      ),
    ],
    needs: told,
  },
  {
    name: "loses-postponed-deadlines",
    lacks: "a deadline for which a block has no room stays in the state",
    edits: [edit(entries, "...passedWrites(passed)]", "...passedWrites(all)]")],
    needs: contracted,
  },
  {
    name: "shows-postponed-deadlines",
    lacks: "no run of a block sees a deadline that has passed, though it be postponed",
    edits: [edit(entries, "const hidden = passedWrites(all);", "const hidden = passedWrites(passed);")],
    needs: contracted,
  },
  {
    name: "one-block-whatever-its-calls",
    lacks: "a block is composed anew where its proposal has another number of calls",
    edits: [
      edit(
        "tools/node/chain/blocks/compositions.ts",
        "return [time_ms, judgedAt, calls, ...accepted, ...named]",
        "return [time_ms, judgedAt, calls > 0, ...accepted, ...named]",
      ),
    ],
    needs: toiling,
  },
  {
    name: "due-again-and-again",
    lacks: "a deadline falls due once",
    edits: [
      edit(
        "tools/ledger/deadlines.ts",
        "return new Map(deadlines.map(({ contract, key }) => [stateKeyOf(contract, key), undefined]));",
        "return new Map(deadlines.slice(1).map(({ contract, key }) => [stateKeyOf(contract, key), undefined]));",
      ),
    ],
    needs: told,
  },
];
