// The access policy of a chain in the Open Digital Rights Language (W3C, ODRL 2.2) as JSON-LD, with purposes, legal bases and places of the
// Data Privacy Vocabulary. What no permission allows is denied, and a prohibition wins. Pure.

import type { ParameterValue } from "../../../src/wire/contract-order.js";
import { roles } from "../../../src/wire/credential.js";
import { purposes } from "./purposes.js";

const CONTEXT = [
  "http://www.w3.org/ns/odrl.jsonld",
  { dpv: "https://w3id.org/dpv#", loc: "https://w3id.org/dpv/loc#", gs: "urn:gridseal:" },
] as const;
const bases: Readonly<Record<string, string>> = {
  consent: "dpv:Consent",
  law: "dpv:LegalObligation",
  decision: "gs:decision-of-permission-administrator",
};

export interface StatedPolicy {
  readonly network: string;
  readonly service: number;
  /** whose law sets these; undefined where it is for all */
  readonly jurisdiction: string | undefined;
  /** of the contract `access`; those that it does not know say nothing */
  readonly parameters: ReadonlyMap<string, ParameterValue>;
}

interface Constraint {
  readonly leftOperand: string;
  readonly operator: "eq" | "isA" | "isAnyOf" | "lteq";
  readonly rightOperand: unknown;
}

interface Rule {
  readonly target: string;
  readonly action: "read";
  readonly "dpv:hasLegalBasis"?: { readonly "@id": string };
  readonly constraint: readonly Constraint[];
}

export interface OdrlPolicy {
  readonly "@context": typeof CONTEXT;
  readonly "@type": "Set";
  readonly uid: string;
  readonly conflict: "prohibit";
  readonly permission: readonly Rule[];
  readonly prohibition: readonly Rule[];
}

export function odrlPolicy({ network, service, jurisdiction, parameters }: StatedPolicy): OdrlPolicy {
  const target = `gs:${network}:${service}:disclosures`;
  const set = jurisdiction === undefined ? "" : `:${jurisdiction}`;
  const entries = [...parameters].flatMap(([name, value]) => (typeof value === "string" ? [{ name, value }] : []));
  const residency = new Map(
    entries.flatMap(({ name, value }) => {
      const purpose = /^residency-(\d+)$/.exec(name)?.[1];
      return purpose === undefined ? [] : [[purpose, value] as const];
    }),
  );
  return {
    "@context": CONTEXT,
    "@type": "Set",
    uid: `urn:gridseal:${network}:${service}:access${set}`,
    conflict: "prohibit",
    permission: entries.flatMap(({ name, value }) => permissionOf(name, value, target, residency)),
    prohibition: entries.flatMap(({ name, value }) => {
      const [, number] = /^prohibit-(\d+)$/.exec(name) ?? [];
      const purpose = number === undefined ? undefined : purposeOf(number);
      if (purpose === undefined) return [];
      return [{ target, action: "read", constraint: [purpose, ...placesOf("spatial", value)] } satisfies Rule];
    }),
  };
}

function permissionOf(
  name: string,
  value: string,
  target: string,
  residency: ReadonlyMap<string, string>,
): readonly Rule[] {
  const [, role, number] = /^rule-(\d+)-(\d+)$/.exec(name) ?? [];
  const [basis, days, places] = value.split(" ");
  const purpose = number === undefined ? undefined : purposeOf(number);
  const roleName = roles[Number(role)];
  if (purpose === undefined || roleName === undefined || bases[basis ?? ""] === undefined) return [];
  const constraint: Constraint[] = [
    purpose,
    { leftOperand: "recipient", operator: "isA", rightOperand: { "@id": `gs:role:${roleName}` } },
    {
      leftOperand: "elapsedTime",
      operator: "lteq",
      rightOperand: { "@value": `P${days}D`, "@type": "xsd:duration" },
    },
    ...placesOf("spatial", places ?? ""),
    ...placesOf("gs:location-of-custodians", residency.get(number!) ?? "*"),
  ];
  return [{ target, action: "read", "dpv:hasLegalBasis": { "@id": bases[basis!]! }, constraint }];
}

/** Undefined where the number is none of a purpose. */
function purposeOf(number: string): Constraint | undefined {
  const name = purposes[Number(number) - 1];
  if (name === undefined) return undefined;
  return { leftOperand: "purpose", operator: "eq", rightOperand: { "@id": `dpv:${name}` } };
}

/** None where any place will do. */
function placesOf(leftOperand: string, places: string): readonly Constraint[] {
  if (places === "*") return [];
  const rightOperand = places.split(",").map((place) => ({ "@id": `loc:${place}` }));
  return [{ leftOperand, operator: "isAnyOf", rightOperand }];
}
