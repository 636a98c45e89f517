// The policy in ODRL says what the contract decides: read by an evaluator that knows ODRL's rules and nothing of the parameters.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Role, roles } from "../../../src/wire/credential.js";
import { type OdrlPolicy, odrlPolicy } from "../../../tools/cli/access/odrl.js";
import { purposes } from "../../../tools/cli/access/purposes.js";
import type { Context, Operation, Value } from "../../../tools/contracts/author.js";
import { judge } from "../../../tools/market/access/policy.js";

interface Asked {
  readonly role: number;
  readonly purpose: number;
  readonly days: number;
  readonly place: string;
}

const policyOf = (parameters: Readonly<Record<string, string | number>>) =>
  JSON.parse(
    JSON.stringify(
      odrlPolicy({
        network: "n",
        service: 3,
        jurisdiction: undefined,
        parameters: new Map(Object.entries(parameters)),
      }),
    ),
  ) as OdrlPolicy;

const idOf = (operand: unknown) => (operand as { readonly "@id": string })["@id"];

/** Places lie in wider ones. */
function liesIn(place: string, operand: unknown): boolean {
  return (operand as unknown[])
    .map(idOf)
    .some((wider) => `loc:${place}` === wider || `loc:${place}`.startsWith(`${wider}-`));
}

function holds(constraint: OdrlPolicy["permission"][number]["constraint"][number], asked: Asked): boolean {
  const { leftOperand, operator, rightOperand } = constraint;
  switch (`${leftOperand} ${operator}`) {
    case "purpose eq":
      return idOf(rightOperand) === `dpv:${purposes[asked.purpose - 1]}`;
    case "recipient isA":
      return idOf(rightOperand) === `gs:role:${roles[asked.role]}`;
    case "elapsedTime lteq":
      return asked.days <= Number(/^P(\d+)D$/.exec((rightOperand as { readonly "@value": string })["@value"])![1]);
    case "spatial isAnyOf":
      return liesIn(asked.place, rightOperand);
    default:
      return assert.fail(`an operand that is none of the profile: ${leftOperand} ${operator}`);
  }
}

/** ODRL 2.2: a rule is in force where all its constraints hold; with `prohibit` a prohibition wins. */
function isPermitted({ permission, prohibition, conflict }: OdrlPolicy, asked: Asked): boolean {
  assert.equal(conflict, "prohibit");
  const isInForce = (rule: OdrlPolicy["permission"][number]) => rule.constraint.every((each) => holds(each, asked));
  return permission.some(isInForce) && !prohibition.some(isInForce);
}

function decides(parameters: Readonly<Record<string, Value>>, { role, purpose, days, place }: Asked): boolean {
  const context = { parameters, get: () => undefined } as unknown as Context;
  const asked = { participant: "aa", roles: [role], jurisdiction: place } as unknown as Operation;
  return judge(context, asked, { purpose, days, most: 400 }, "rule").type === "allowed";
}

const places = fc.constantFrom("*", "AT", "AT,DE", "DE-BY", "CH");
const rules = fc.dictionary(
  fc.oneof(
    fc
      .tuple(fc.integer({ min: 2, max: 5 }), fc.integer({ min: 1, max: 3 }))
      .map(([role, purpose]) => `rule-${role}-${purpose}`),
  ),
  fc
    .tuple(fc.constantFrom("consent", "law", "decision"), fc.integer({ min: 1, max: 40 }), places)
    .map((all) => all.join(" ")),
  { maxKeys: 6 },
);
const prohibitions = fc.dictionary(
  fc.integer({ min: 1, max: 3 }).map((purpose) => `prohibit-${purpose}`),
  places,
  { maxKeys: 2 },
);
const askings = fc.record({
  role: fc.integer({ min: 2, max: 6 }),
  purpose: fc.integer({ min: 1, max: 4 }),
  days: fc.integer({ min: 1, max: 45 }),
  place: fc.constantFrom("AT", "AT-9", "DE-BY", "DE", "FR"),
});

test("whoever reads the policy as ODRL comes to what the contract decides", () => {
  fc.assert(
    fc.property(rules, prohibitions, askings, (allowed, prohibited, asked) => {
      const parameters = { ...allowed, ...prohibited, answer_days: 14 };
      assert.equal(isPermitted(policyOf(parameters), asked), decides(parameters, asked));
    }),
  );
});

test("legal bases, residency and jurisdictions have their places in it, and what is no rule none", () => {
  const parameters = {
    "rule-9-7": "consent 31 AT",
    "residency-7": "AT,DE",
    "rule-99-7": "law 1 *",
    "rule-9-77": "law 1 *",
    "rule-9-6": "whim 1 *",
  };
  const policy = odrlPolicy({
    network: "n",
    service: 3,
    jurisdiction: "AT",
    parameters: new Map(Object.entries(parameters)),
  });
  assert.equal(policy.uid, "urn:gridseal:n:3:access:AT");
  assert.equal(policy.permission.length, 1);
  const [rule] = policy.permission;
  assert.deepEqual(rule?.["dpv:hasLegalBasis"], { "@id": "dpv:Consent" });
  const custodians = rule?.constraint.find(({ leftOperand }) => leftOperand === "gs:location-of-custodians");
  assert.deepEqual(custodians?.rightOperand, [{ "@id": "loc:AT" }, { "@id": "loc:DE" }]);
  assert.ok(roles.includes("researcher" satisfies Role));
});
