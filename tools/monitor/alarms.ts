// What the monitor alarms of, in one catalogue: a stable code, how urgent it is, and what to do. The sentence of what happened, and where,
// comes with each alarm.

import { createHash } from "node:crypto";

export const alarmKinds = {
  "wrong-block": {
    severity: "page",
    remedy:
      "Take the node out of use and keep its store: it serves what its chain has not sealed. gridseal chain audit says the same.",
  },
  "wrong-state": {
    severity: "page",
    remedy:
      "Take the node out of use: it serves a contract's state that its own chain does not prove. Ask another node.",
  },
  "wrong-answer": {
    severity: "page",
    remedy:
      "Take the node out of use: about a block that is good it answers otherwise than the block has sealed. Ask another node.",
  },
  unseen: {
    severity: "ticket",
    remedy:
      "Run gridseal doctor --api URL against the node, and read its log: it is up, and does not answer what it is asked about its contracts' states or blocks.",
  },
  rules: {
    severity: "ticket",
    remedy:
      "Tell whoever rests on the chain's rules, and try the contract with gridseal contract show and contract replay: the authority has ordered others.",
  },
  fork: {
    severity: "page",
    remedy:
      "Stop what rests on the chain: a quorum has signed two blocks of one height. Keep the stores of both nodes; the blocks prove who signed.",
  },
  anchor: {
    severity: "page",
    remedy:
      "Keep the stores of both chains' nodes: a sealed block names another block of a chain than that chain has. gridseal chain audit says which.",
  },
  "not-admitted": {
    severity: "ticket",
    remedy: "Show a session token with --as or --token-file: the node shows chains to those alone who may read them.",
  },
  late: {
    severity: "ticket",
    remedy:
      "Run gridseal meter list --silent 1h --api URL, and look whether the broker that these meters share runs: they have stopped to keep their rhythm.",
  },
  lagging: {
    severity: "page",
    remedy:
      "Run gridseal doctor --api URL against each member of this chain: its meters are heard on other chains, and not on this one.",
  },
  unreachable: { severity: "ticket", remedy: "Start the node, or mend the way to its API." },
  unhealthy: { severity: "ticket", remedy: "Do what docs/operator.md says of the checks that are named." },
  behind: {
    severity: "ticket",
    remedy: "Run gridseal doctor on the node, for its links and its disk: it has not what others have sealed.",
  },
  silent: {
    severity: "page",
    remedy: "Run gridseal doctor --api URL against each of the chain's members: records wait and no quorum seals them.",
  },
  clock: { severity: "ticket", remedy: "Set the clocks of the chain's members, and that of this monitor, by NTP." },
  budget: {
    severity: "ticket",
    remedy:
      "Look with gridseal study list what was asked for: the budget begins anew at its window's end, and contract parameters set another one.",
  },
  "beyond-budget": {
    severity: "ticket",
    remedy:
      "Ask the requester what for: nothing was given, and the chain holds it against it as a violation. gridseal study list shows what it was given.",
  },
  incomplete: {
    severity: "ticket",
    remedy: "Name a node that keeps whole blocks, or a newer monitor: the chain cannot be judged any further here.",
  },
} as const satisfies Readonly<Record<string, { readonly severity: "page" | "ticket"; readonly remedy: string }>>;

export type AlarmKind = keyof typeof alarmKinds;

export interface Alarm {
  readonly kind: AlarmKind;
  /** URL of the node that it is of; undefined where it is of a chain */
  readonly node: string | undefined;
  readonly service: number | undefined;
  /** what happened */
  readonly what: string;
  /** of the block that it is about, where it is about one */
  readonly height?: number;
}

/** Alarms of one kind, node and chain are one. */
export function nameOf({ kind, node, service }: Omit<Alarm, "what">): string {
  return `${kind} ${node ?? "-"} ${service ?? "-"}`;
}

/** By which an operator acknowledges it: 8 hex digits of the name's SHA-256. */
export function idOf(alarm: Omit<Alarm, "what">): string {
  return createHash("sha256").update(nameOf(alarm)).digest("hex").slice(0, 8);
}
