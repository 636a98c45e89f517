// Rules taken away, one at a time: by coming between a node and its surroundings, or in its code. A simulation that does not notice
// one of them proves nothing about that rule.

import { admitted } from "../../../node/chain/tables/admitted.js";
import { batches } from "../../../node/chain/tables/batches.js";
import { blocks } from "../../../node/chain/tables/blocks.js";
import { consensusRecords } from "../../../node/chain/tables/consensus-records.js";
import { origins } from "../../../node/chain/tables/states.js";
import { boundMutants } from "./bound-mutants.js";
import { budgetMutants } from "./budget-mutants.js";
import { contractMutants } from "./contract-mutants.js";
import { credentialMutants } from "./credential-mutants.js";
import { damageMutants } from "./damage-mutants.js";
import { hidingMutants } from "./hiding-mutants.js";
import {
  precommitsTwice,
  withAnyMember,
  withFreshRecord,
  withHaste,
  withoutFrames,
  withoutMessages,
  withoutMeters,
  withoutProposals,
  withoutRows,
  withoutTimers,
  withoutVotes,
  withoutWrites,
  withRecord,
  withStore,
} from "./interference.js";
import { evidenceMutants, memberMutants } from "./member-mutants.js";
import { meterMutants } from "./meter-mutants.js";
import type { Mutant } from "./mutant.js";
import { edit } from "./mutant.js";
import { operationMutants } from "./operation-mutants.js";
import { attacked, bereft, beside, contested, crowded, misled, quiet, smooth, stalled, undecided } from "./ordeals.js";
import { regainingMutants } from "./regaining-mutants.js";
import { rulingMutants } from "./ruling-mutants.js";
import { slotMutants } from "./slot-mutants.js";
import { verifierMutants } from "./verifier-mutants.js";

const rules = "tools/consensus/rules.ts";
const certificates = "tools/consensus/certificates.ts";
/** The node's own assertion would stop it before it sends the vote. */
const unasserted = edit(
  rules,
  "    id === null || locked === undefined || sameId(locked",
  "    true || locked === undefined || sameId(locked",
);

/** The chains of a node, which share its governor, propose in the order of their services. */
const oneAtATime = `
  const hasOwn = () => pool.hasWork((read) => sealsSomething(sealer.tip, read));
  const shared = globalThis as { chainsBeside?: WeakMap<object, Map<number, () => boolean>> };
  const nodes = (shared.chainsBeside ??= new WeakMap());
  const beside = nodes.get(ports.governor) ?? new Map<number, () => boolean>();
  nodes.set(ports.governor, beside.set(ports.chain.service, hasOwn));
  const hasWork = (): boolean =>
    hasOwn() && ![...beside].some(([other, waits]) => other < ports.chain.service && waits());
`;

/** Those of the consensus, of temporary blocks and of what is durable before what. */
export const coreMutants: readonly Mutant[] = [
  { name: "sends-before-durable", lacks: "a vote is on disk before it is sent", ports: withHaste(consensusRecords) },
  { name: "puback-before-durable", lacks: "a record is on disk before its PUBACK", ports: withHaste(admitted) },
  {
    name: "acknowledges-before-durable",
    lacks: "a temporary block is on disk before its ACK",
    ports: withHaste(batches),
  },
  { name: "receipt-before-durable", lacks: "a block is on disk before its receipts", ports: withHaste(blocks) },
  { name: "loses-record", lacks: "the consensus record is kept", ports: withStore(withoutWrites(consensusRecords)) },
  {
    name: "forgets-lock",
    lacks: "the lock outlives a restart",
    ports: withRecord((row) => row.with(6, null).with(7, null)),
    needs: { ...contested, crashEvery_ms: 1_000 },
  },
  { name: "forgets-votes", lacks: "own votes outlive a restart", ports: withRecord(withoutVotes) },
  { name: "rebuilds-proposal", lacks: "a restart sends the stored proposal", ports: withRecord(withoutProposals) },
  {
    name: "votes-without-record",
    lacks: "a node without its record abstains",
    ports: withStore(withFreshRecord),
    needs: { ...undecided, fault: "damagedRecord", faulty: 1, crashEvery_ms: 0 },
  },
  {
    name: "forgets-admitted",
    lacks: "admitted records outlive a restart",
    ports: withStore((store) => withoutRows(store, admitted)),
    needs: { fault: "none", faulty: 0, crashEvery_ms: 500, batch: { interval_ms: 1_000, records_max: 100 } },
  },
  {
    name: "forgets-batches",
    lacks: "temporary blocks outlive a restart",
    ports: withStore((store) => withoutRows(store, batches)),
  },
  { name: "quorum-less-one", lacks: "a quorum is of distinct members", ports: withAnyMember, frames: precommitsTwice },
  {
    name: "trusts-votes",
    lacks: "votes and acknowledgements are verified",
    ports: (ports) => ({ ...ports, verify: () => true }),
    needs: { ...attacked, behaviours: ["forge"] },
  },
  {
    name: "trusts-records",
    lacks: "records are verified before their ACK",
    ports: (ports) => ({ ...ports, verifyRecords: () => Promise.resolve(true) }),
    needs: { ...attacked, behaviours: ["forge"], meters: 4 },
  },
  { name: "skips-duplicate-check", lacks: "a record is sealed once", ports: withStore(withoutMeters) },
  {
    name: "seals-batches-twice",
    lacks: "a temporary block is sealed once",
    ports: withStore((store) => withoutRows(store, origins)),
  },
  { name: "no-catch-up", lacks: "blocks are fetched from peers", frames: withoutFrames("block") },
  {
    name: "no-certificates",
    lacks: "polkas and round certificates are passed on",
    frames: withoutMessages("polka", "round"),
    needs: { ...attacked, behaviours: ["mute"] },
  },
  { name: "no-bodies", lacks: "missing temporary blocks are fetched", frames: withoutFrames("needBatch") },
  {
    name: "waits-for-what-is-gone",
    lacks: "a decided block whose temporary blocks are sealed and gone elsewhere is fetched whole",
    edits: [edit("tools/consensus/resend.ts", "if (commit !== undefined) need(state, commit.id, commit.from);", "")],
    needs: bereft,
  },
  {
    name: "never-resends",
    lacks: "what may be lost is said again",
    ports: withoutTimers("resend", "consensus/resend"),
  },
  {
    name: "no-heartbeat",
    lacks: "an idle node says where it is",
    ports: withoutTimers("consensus/heartbeat"),
    needs: { ...quiet, crashEvery_ms: 0, partitionEvery_ms: 0, isolated: true, conditions: smooth },
  },
  {
    name: "no-timeouts",
    lacks: "a round without a decision ends",
    ports: withoutTimers("consensus/propose", "consensus/precommit"),
  },
  {
    name: "ignores-lock",
    lacks: "a new value is prevoted only by who is not locked on another",
    edits: [
      edit(
        rules,
        "const free = state.locked === undefined || sameId(state.locked.value.id, id);",
        "const free = true;",
      ),
      unasserted,
    ],
    needs: { ...contested },
  },
  {
    name: "unlocks-for-older-polka",
    lacks: "a lock yields to a polka that is not older",
    edits: [edit(rules, "state.locked.round <= vr || sameId", "true || sameId"), unasserted],
    needs: { ...contested },
  },
  {
    name: "quorum-of-votes-less-one",
    lacks: "n - f members decide",
    edits: [
      edit(
        "tools/consensus/state.ts",
        "return quorum(state.members.length);",
        "return quorum(state.members.length) - 1;",
      ),
    ],
  },
  {
    name: "counts-vote-twice",
    lacks: "a member's vote counts once",
    edits: [
      edit(
        "tools/consensus/votes.ts",
        "else votes.precommits.set(vote.node, vote);",
        "else votes.precommits.set(vote.node + votes.precommits.size, vote);",
      ),
    ],
  },
  {
    name: "trusts-kept-votes",
    lacks: "a vote that says what a kept one says has its signature looked at",
    edits: [edit(certificates, " && equalBytes(kept.signature, vote.signature)", "")],
    needs: { ...attacked, behaviours: ["forge"] },
  },
  {
    name: "trusts-decisions",
    lacks: "all signatures of a DECISION are verified",
    edits: [
      edit(certificates, "return votes.every(genuine) ? votes : undefined;", "return genuine ? votes : undefined;"),
    ],
    needs: { ...attacked, behaviours: ["forge"] },
  },
  {
    name: "trusts-blocks",
    lacks: "a peer's block is taken with its certificate alone",
    edits: [
      edit(
        "tools/node/chain/blocks/sealer.ts",
        "verifyCertificate(received.certificate, named,",
        "void [verifyCertificate, named]; (() => undefined)(",
      ),
    ],
    needs: { ...attacked, behaviours: ["forge"], crashEvery_ms: 800 },
  },
  {
    name: "trusts-claimed-height",
    lacks: "a claimed height is a hint",
    edits: [
      edit(
        "tools/consensus/receive.ts",
        "  answerAbove(state, from);\n",
        '  if (message.type === "status") state.voting = false;\n  answerAbove(state, from);\n',
      ),
    ],
    needs: { ...attacked, behaviours: ["lie"] },
  },
  {
    name: "follows-one-member",
    lacks: "f + 1 members call a node into a later round",
    edits: [edit("tools/consensus/state.ts", "return faults(state.members.length) + 1;", "return 1;")],
    needs: { ...attacked, behaviours: ["flood"] },
  },
  {
    name: "uncapped-timeouts",
    lacks: "timeouts are capped",
    edits: [
      edit("tools/consensus/rounds.ts", "Math.min(timeouts.cap_ms, base_ms + step_ms * round)", "base_ms * 2 ** round"),
    ],
    needs: { ...attacked, ...stalled, behaviours: ["mute"] },
  },
  {
    name: "seals-empty-blocks",
    lacks: "no block is empty",
    edits: [
      edit(
        "tools/ledger/compose.ts",
        '  if (isEmpty(whole.execution)) return { type: "none", reason: "nothing in it is new to the chain" };\n',
        "",
      ),
      edit("tools/node/chain/batches/pool.ts", "entry.barren = !sealsSomething(entry.read);", "entry.barren = false;"),
    ],
  },
  {
    name: "proposes-oldest",
    lacks: "what seals something is proposed before older temporary blocks that only repeat what is sealed",
    edits: [
      edit("tools/node/chain/batches/pool.ts", "first === undefined ? others : [first, ...others]", "here"),
      edit(
        "tools/node/chain/blocks/proposals.ts",
        "while (hasWork()) {",
        "for (let goes = hasWork(); goes; goes = false) {",
      ),
    ],
    needs: crowded,
  },
  {
    name: "keeps-losing-batch",
    lacks: "of two temporary blocks of one number the accepted one is taken",
    edits: [
      edit(
        "tools/node/chain/batches/pool.ts",
        'if (rivalOf(read) !== undefined && entry?.accepted !== true) return "conflict";',
        'if (rivalOf(read) !== undefined) return "conflict";',
      ),
    ],
    needs: { ...attacked, behaviours: ["equivocate", "mute"], meters: 4, recordsPerMeter: 12 },
  },
  {
    name: "outlives-failed-writes",
    lacks: "a node stops when a peer's temporary block cannot be written",
    edits: [
      edit(
        "tools/node/chain/batches/exchange/arrivals.ts",
        'return [{ type: "fatal", error }]; // the pool holds what is not on disk',
        "return []; // the pool holds what is not on disk",
      ),
    ],
    needs: { members: 4, fault: "fullDisk", faulty: 1, meters: 4, recordsPerMeter: 12 },
  },
  {
    name: "believes-evidence",
    lacks: "evidence is of two statements that differ",
    edits: [
      edit(
        "tools/consensus/evidence.ts",
        "!isEquivocation(genesisHash, chain, evidence)",
        "isEquivocation === undefined",
      ),
    ],
    needs: { ...attacked, behaviours: ["forge", "equivocate"] },
  },
  {
    name: "reports-evidence-twice",
    lacks: "an equivocation is reported once",
    edits: [edit("tools/consensus/evidence.ts", "if (reported.has(key)) return false;", "")],
    needs: { ...attacked, behaviours: ["contradict"] },
  },
  {
    name: "anchor-unproved",
    lacks: "an anchor that a voter cannot compare is proved by its certificate",
    edits: [
      edit(
        "tools/node/chain/blocks/anchoring.ts",
        "if (known === undefined) return isProved(ports, anchor, judgedAt)",
        "if (known === undefined) return isProved !== undefined || judgedAt < 0",
      ),
    ],
    needs: misled,
  },
  {
    name: "anchor-uncompared",
    lacks: "a certificate is of the block that the anchor names",
    edits: [
      edit(
        "tools/node/chain/blocks/anchoring.ts",
        "verifyCertificate(certificate, { genesisHash: genesis.hash, ...anchor }, members, verify);",
        "verifyCertificate(certificate, { genesisHash: genesis.hash, ...anchor }, members, () => verify !== undefined);",
      ),
    ],
    needs: misled,
  },
  {
    name: "waits-for-anchors",
    lacks: "a voter waits for no block that an anchor names",
    edits: [
      edit(
        "tools/node/chain/blocks/proposals.ts",
        "if (missing.length === 0 && !sealer.awaits(proposal.judgedAt)) return true;",
        `const isHere = proposal.anchors.every(({ chain, height }) =>
          ports.anchors().some((own) => own.chain === chain && own.height >= height),
        );
        if (isHere && missing.length === 0 && !sealer.awaits(proposal.judgedAt)) return true;`,
      ),
    ],
    needs: beside,
  },
  {
    name: "one-chain-at-a-time",
    lacks: "a chain proposes whatever another one waits for",
    edits: [
      edit(
        "tools/node/chain/blocks/proposals.ts",
        "const hasWork = () => pool.hasWork((read) => sealsSomething(sealer.tip, read));",
        oneAtATime,
      ),
    ],
    needs: beside,
  },
];

export const mutants: readonly Mutant[] = [
  ...coreMutants,
  ...meterMutants,
  ...operationMutants,
  ...contractMutants,
  ...slotMutants,
  ...boundMutants,
  ...budgetMutants,
  ...damageMutants,
  ...memberMutants,
  ...rulingMutants,
  ...credentialMutants,
  ...regainingMutants,
  ...evidenceMutants,
  ...verifierMutants,
  ...hidingMutants,
];
