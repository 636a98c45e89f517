// Who plays in the demo's community, and what each of them has. Names are those of their folders.

import type { Role } from "../../../src/wire/credential.js";
import type { KeyAlgorithm } from "../../files/key-file.js";

export interface Plan {
  readonly role: Role;
  readonly algorithm: KeyAlgorithm;
}

/** Both kinds of keys that a participant may have. */
export const plans = {
  anna: { role: "customer", algorithm: "Ed25519" },
  bert: { role: "customer", algorithm: "ESP256" },
  works: { role: "supplier", algorithm: "ESP256" },
  supply: { role: "supplier", algorithm: "Ed25519" },
  manager: { role: "community-manager", algorithm: "Ed25519" },
  grid: { role: "grid-operator", algorithm: "Ed25519" },
  office: { role: "market-operator", algorithm: "Ed25519" },
  data: { role: "metered-data-administrator", algorithm: "Ed25519" },
  campus: { role: "researcher", algorithm: "Ed25519" },
  clearing: { role: "settlement-agent", algorithm: "Ed25519" },
  agency: { role: "regulator", algorithm: "Ed25519" },
} as const satisfies Readonly<Record<string, Plan>>;

export type Actor = keyof typeof plans;
export const actors = Object.keys(plans) as readonly Actor[];

/** Whose meters are members of the community. */
export const members = ["anna", "bert", "works"] as const;
export type Member = (typeof members)[number];

/** Meters of the members, by their numbers; fewer meters than these are no community. */
export const meterNumbers: Readonly<Record<Member, number>> = { anna: 1, bert: 2, works: 3 };
export const METERS_MIN = 3;
/** Seeds of the first meters' homes: of the members' the first has sun, the other two have none. */
export const seeds: readonly number[] = [1, 4, 6, 2, 5, 3];

/** Where the supplier is connected, who buys what nobody else takes: it has no meter here. */
export const SUPPLY_POINT = "substation";

/** Who is who on the chains. */
export interface Cast {
  /** participants' IDs */
  readonly ids: Readonly<Record<Actor, string>>;
  /** IDs of the members' meters, which are points by their own IDs */
  readonly points: Readonly<Record<Member, string>>;
}

/** The name of a participant, or of a member by its point; what it is called where it is none of them. */
export function nameIn({ ids, points }: Cast, id: string): string {
  const actor = actors.find((name) => ids[name] === id) ?? members.find((name) => points[name] === id);
  return actor ?? id;
}
