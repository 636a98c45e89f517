// A network as it is printed: authority, chains with members, nodes, and what was ordered since the genesis.

import { toHex } from "../../../src/wire/bytes.js";
import type { Genesis } from "../../../src/wire/genesis.js";
import { keyId } from "../../../src/wire/key.js";
import { type Governance, governedHeight, membersAfter } from "../../ledger/governance.js";
import { memberSetOf } from "../../ledger/members.js";
import type { ChainSummary } from "../../routes/chains.js";
import { networkText, pairs, table, timeText } from "../../terminal/output.js";

type View = ReturnType<typeof viewOf>;

/** What is known of the network; `heads` are the newest blocks, where a node was asked. */
export function viewOf(genesis: Genesis, governance: Governance, heads: readonly ChainSummary[]) {
  const chains = governance.chains.map(({ chain }) => {
    const { service, name, target } = chain;
    const head = heads.find((summary) => summary.service === service);
    const seats = membersAfter(governance, service, head?.height ?? 0, governedHeight(governance));
    const { members, ids, quorum, verifiers } = memberSetOf(seats.members, seats.verifiers);
    const names = members.map((_, index) => governance.nodes.get(ids[index]!)?.name ?? ids[index]!);
    return { service, name, target, ids, members: names, quorum, verifiers, height: head?.height };
  });
  return {
    network: genesis.network,
    isTest: genesis.isTest ?? false,
    genesis: genesis.hash,
    time: timeText(genesis.time_s * 1_000),
    authority: keyId(genesis.authority),
    orderSignatures: genesis.ordering?.signatures ?? 1,
    orderKeys: genesis.ordering?.keys.length ?? 1,
    orders: governance.lastOrder,
    revoked: governance.revoked.size,
    chains,
    nodes: [...governance.nodes].map(([id, { name, location }]) => {
      const sits = chains.filter(({ ids }) => ids.includes(id)).map(({ service }) => service);
      return { id, name, location, services: sits, isBanned: governance.banned.has(id) };
    }),
  };
}

export function linesOf(view: View): string[] {
  const chains = view.chains.map(({ service, name, height, quorum, verifiers, members }) => [
    ...[service, name, height ?? "-", quorum, verifiers],
    members.join(" "),
  ]);
  const nodes = view.nodes.map(({ name, id, location = "-", services, isBanned }) => [
    ...[name, id, location],
    isBanned ? "banned" : services.join(" ") || "no member",
  ]);
  return [
    ...pairs([
      ["network", networkText(view)],
      ["genesis", toHex(view.genesis)],
      ["signed", view.time],
      ["authority", toHex(view.authority)],
      ["orders need", `${view.orderSignatures} of ${view.orderKeys} signatures`],
      ["orders", view.orders],
      ["revoked", view.revoked],
    ]),
    "",
    ...table(["SERVICE", "CHAIN", "HEIGHT", "QUORUM", "VERIFIERS", "MEMBERS"], chains),
    "",
    ...table(["NODE", "KEY ID", "LOCATION", "MEMBER OF"], nodes),
  ];
}
