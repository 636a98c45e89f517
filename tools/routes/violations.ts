// What sealed blocks of all chains that a node has say against meters, participants and nodes.

import { type Static, Type } from "@sinclair/typebox";
import { SERVICE_MAX } from "../../src/wire/bounds.js";
import { csvCell } from "../printable.js";
import { count, height, id, nothing, service, time_ms } from "./fields.js";
import type { RouteShape } from "./shape.js";

const kinds = ["gap", "fork", "link", "equivocation", "falseAcknowledgement", "contract"] as const;
const kind = Type.Union(kinds.map((one) => Type.Literal(one)));
const word = "[a-z][a-z0-9-]{0,63}";
const nameField = Type.String({
  pattern: "^(0|[1-9][0-9]{0,4}):(0|[1-9][0-9]{0,12}):(0|[1-9][0-9]{0,5})$",
  description: "service:height:index",
});

/** One of them without its proof. */
export const ViolationItem = Type.Object({
  /** service:height:index */
  id: Type.String(),
  service,
  height,
  /** among the violations of the block's results, from 0 */
  index: count,
  /** UTC, of the block */
  time_ms,
  kind,
  /** a meter, a participant or a node */
  subject: id,
  /** of the record, of the height voted on, or of the temporary block; null of a contract's */
  number: Type.Union([count, Type.Null()]),
  /** of a contract: its name, a slash, what it says */
  rule: Type.Union([Type.String(), Type.Null()]),
  /** that the contract was called for, as `operation 3` with the leaf */
  entry: Type.Union([Type.String(), Type.Null()]),
});
export type ViolationItem = Readonly<Static<typeof ViolationItem>>;

/**
 * What may have become of one: open, where nobody has taken a step; lapsed, where nobody may any more, as the contract `cases` keeps
 * neither it nor its case.
 */
export const caseStates = ["open", "acknowledged", "contested", "upheld", "lifted", "lapsed"] as const;
export type CaseState = (typeof caseStates)[number];

/** One as it stands now: what has become of it is kept by the contract `cases` on the contracts chain. */
export const ListedViolation = Type.Composite([
  ViolationItem,
  Type.Object({ state: Type.Union(caseStates.map((one) => Type.Literal(one))) }),
]);
export type ListedViolation = Readonly<Static<typeof ListedViolation>>;

/** What a chain's policy keeps from who asks: how many it has, as everybody is told, and the roles that read it beside the network's nodes. */
export const HiddenViolations = Type.Object({ service, violations: count, readers: Type.Array(Type.String()) });
export type HiddenViolations = Readonly<Static<typeof HiddenViolations>>;

export const ViolationPage = Type.Object({
  /** the newest first */
  violations: Type.Array(ListedViolation),
  /** for `after`, where there are more */
  next: Type.Union([Type.String(), Type.Null()]),
  /** whether all blocks are listed: a store of an earlier version is gone over when its node starts */
  isComplete: Type.Boolean(),
  /** of other chains of the node */
  hidden: Type.Array(HiddenViolations),
});
export type ViolationPage = Readonly<Static<typeof ViolationPage>>;

const query = Type.Object({
  subject: Type.Optional(id),
  kind: Type.Optional(Type.String({ pattern: `^(${kinds.join("|")})$`, description: `one of ${kinds.join(", ")}` })),
  rule: Type.Optional(
    Type.String({
      pattern: `^${word}(/${word})?$`,
      description: "a contract's name, or contract/name of what it says",
    }),
  ),
  state: Type.Optional(
    Type.String({ pattern: `^(${caseStates.join("|")})$`, description: `one of ${caseStates.join(", ")}` }),
  ),
  service: Type.Optional(Type.Integer({ minimum: 1, maximum: SERVICE_MAX })),
  from: Type.Optional(time_ms),
  to: Type.Optional(time_ms),
  after: Type.Optional(
    Type.String({
      pattern: "^(0|[1-9][0-9]{0,14}):(0|[1-9][0-9]{0,4}):(0|[1-9][0-9]{0,12}):(0|[1-9][0-9]{0,5})$",
      description: "the `next` of the page before",
    }),
  ),
  limit: Type.Integer({ minimum: 1, maximum: 500, default: 100 }),
});

export const violations = {
  method: "GET",
  path: "/violations",
  parameters: nothing,
  query,
  answer: { type: "application/json", schema: ViolationPage },
  statuses: [200],
  refusals: ["malformed", "damaged"],
  limits: "costly",
  access: "chains",
} as const satisfies RouteShape;

/** The same as a table; a `Link` header (RFC 8288) with `rel="next"` leads on. */
export const violationsCsv = {
  ...violations,
  path: "/violations.csv",
  answer: { type: "text/csv" },
} as const satisfies RouteShape;

/** One with what proves it. */
export const ViolationShown = Type.Composite([
  ListedViolation,
  Type.Object({
    detail: Type.Union([
      /** of a gap: the last missing number */
      Type.Object({ last: count }),
      /** of a broken link: hash of the record; of a fork: the other record, as hex */
      Type.Object({ hash: Type.String() }),
      Type.Object({ record: Type.String() }),
      /** of a node, as hex: PROTOCOL.md, section 8 */
      Type.Object({ evidence: Type.String() }),
      /** of a contract: what it says, as JSON has values */
      Type.Object({ body: Type.Unknown() }),
    ]),
  }),
]);
export type ViolationShown = Readonly<Static<typeof ViolationShown>>;

export const violation = {
  method: "GET",
  path: "/violations/:name",
  parameters: Type.Object({ name: nameField }),
  query: nothing,
  answer: { type: "application/json", schema: ViolationShown },
  statuses: [200],
  refusals: ["malformed", "unknown-violation", "damaged"],
  limits: "costly",
  access: "chain",
  chainOf: ({ name }) => Number(String(name).split(":")[0]),
} as const satisfies RouteShape;

/** The columns of the table, in their order. */
export const csvColumns = [
  "id",
  "service",
  "height",
  "time",
  "kind",
  "subject",
  "number",
  "rule",
  "entry",
  "state",
] as const;

/** A table as RFC 4180 has it, with a head. A deadline's name may need quotes. */
export function csvOf(items: readonly (ViolationItem & { readonly state: string })[]): string {
  const rows = items.map(({ id, service, height, time_ms, kind, subject, number, rule, entry, state }) =>
    [id, service, height, new Date(time_ms).toISOString(), kind, subject, number ?? "", rule ?? "", entry ?? "", state]
      .map((value) => csvCell(String(value)))
      .join(","),
  );
  return [csvColumns.join(","), ...rows].map((row) => `${row}\r\n`).join("");
}
