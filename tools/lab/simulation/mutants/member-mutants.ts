// Rules of membership and of evidence taken away, one at a time.

import { lineage } from "../../../node/chain/tables/lineage.js";
import { withoutRows, withStore } from "./interference.js";
import type { Mutant } from "./mutant.js";
import { edit } from "./mutant.js";
import { attacked, intruded, reordered, replaced } from "./ordeals.js";

const core = "tools/consensus/core.ts";
const governance = "tools/ledger/governance.ts";
const chain = "tools/node/chain/chain.ts";
const signatures = "src/wire/order-signatures.ts";

/** The consensus takes signatures of whoever the network knows. */
const anySigner = edit(
  chain,
  "const key = sealer.members.keyOf(node);",
  "const key = sealer.members.keyOf(node) ?? ports.governor.current.nodes.get(node)?.key;",
);

export const memberMutants: readonly Mutant[] = [
  {
    name: "counts-removed-votes",
    lacks: "a removed node's votes count no more",
    edits: [
      edit(
        "tools/consensus/state.ts",
        "return state.members.includes(node);",
        "return state.members.includes(node) || node !== state.self;",
      ),
      anySigner,
    ],
    needs: intruded,
  },
  {
    name: "keeps-first-members",
    lacks: "the consensus takes the members of each height from the block before",
    edits: [edit(core, "  state.members = members;\n", ""), anySigner],
    needs: reordered,
  },
  {
    name: "votes-as-follower",
    lacks: "who is no member does not vote",
    edits: [edit(core, "self !== undefined && isMember(state, self) && !mayContradict", "!mayContradict")],
    needs: replaced,
  },
  {
    name: "ignores-effective-height",
    lacks: "an order counts from its effective height on",
    edits: [
      edit(governance, "contractsHeight <= judgedAt && effectiveHeight <= height + 1", "contractsHeight <= judgedAt"),
    ],
    needs: reordered,
  },
  {
    name: "ignores-contracts-height",
    lacks: "a block obeys the orders up to the contracts height that it names",
    edits: [
      edit(governance, "contractsHeight <= judgedAt && effectiveHeight <= height + 1", "effectiveHeight <= height + 1"),
    ],
    needs: reordered,
  },
  {
    name: "forgets-members",
    lacks: "a chain's members outlive a restart",
    ports: withStore((store) => withoutRows(store, lineage)),
    needs: { ...reordered, crashEvery_ms: 800 },
  },
  {
    name: "hands-over-to-former-members",
    lacks: "a handover names the members that its block binds",
    edits: [
      edit(
        "tools/node/chain/blocks/sealer.ts",
        "encodeHandover(handoverOf(block, tree, nextMembers))",
        "encodeHandover(handoverOf(block, tree, members))",
      ),
    ],
    needs: { ...reordered, agent: true },
  },
  {
    name: "judges-by-first-members",
    lacks: "a meter judges a handover by the members before it",
    edits: [
      edit(
        "src/agent/members.ts",
        "nextSet(this.genesis, service, this.setAt(service, height), item, this.verify)",
        "nextSet(this.genesis, service, genesisSet(this.genesis, service), item, this.verify)",
      ),
    ],
    needs: { ...reordered, agent: true },
  },
  {
    name: "takes-orders-out-of-turn",
    lacks: "orders are obeyed in the order of their numbers",
    edits: [
      edit(
        governance,
        "if (order.number !== governance.lastOrder + 1) {",
        "if (order.number <= governance.lastOrder) {",
      ),
    ],
    needs: reordered,
  },
  {
    name: "trusts-orders",
    lacks: "orders are signed by the authority",
    edits: [
      edit(
        signatures,
        "if (!verifySign1(parseSign1(bytes, bytes.length), authority, verify)) {",
        "if (verify === undefined) {",
      ),
    ],
    needs: reordered,
  },
  {
    name: "admits-unready-nodes",
    lacks: "a node that is admitted has said that it is ready",
    edits: [edit(governance, "if (unready !== undefined) return", "if (unready === before[0]) return")],
    needs: reordered,
  },
  {
    name: "tells-of-orders-too-early",
    lacks: "an order is on disk before its submitter is told",
    edits: [edit("tools/node/chain/batches/waiting-notices.ts", "      await written;\n", "")],
    needs: { ...reordered, slowDisk_ms: 600 },
  },
  {
    name: "keeps-old-acknowledgements",
    lacks: "acknowledgements of who is no member any more do not count",
    edits: [
      edit(
        "tools/node/chain/batches/pool.ts",
        "for (const node of entry.acknowledgements.keys()) if (!members.has(node)) entry.acknowledgements.delete(node);",
        "if (entry.accepted) return;",
      ),
    ],
    needs: { ...reordered, meters: 4, recordsPerMeter: 20 },
  },
];

export const evidenceMutants: readonly Mutant[] = [
  {
    name: "keeps-evidence-to-itself",
    lacks: "an equivocation that a member sees is put before the chain",
    edits: [
      edit(
        chain,
        "origin.submit(readNotice(genesis.hash, evidenceNotice(effect.evidence))).catch(ports.onFatal);",
        "void [readNotice, evidenceNotice];",
      ),
    ],
    needs: { ...attacked, behaviours: ["equivocate"], crashEvery_ms: 0 },
  },
  {
    name: "accuses-without-proof",
    lacks: "evidence is signed by whom it accuses",
    edits: [
      edit(
        "tools/ledger/notices.ts",
        "if (!(await verifyAsync(member.key, signedBytes(hash, chain, statement), statement.signature))) {",
        "if (signedBytes(hash, chain, statement).length === 0) {",
      ),
    ],
    needs: { ...attacked, behaviours: ["forge"] },
  },
];
