// GET /violations, as JSON or as a table, and GET /violations/<service>:<height>:<index>, one with what proves it.

import { idFromText } from "../../../../src/wire/key.js";
import type { FoundViolation } from "../../../ledger/violation-place.js";
import type { ViolationKind } from "../../../ledger/violations.js";
import { pathOf, type QueryOf } from "../../../routes/shape.js";
import { csvOf, type ListedViolation, violation, violations, violationsCsv } from "../../../routes/violations.js";
import { type Asked, type Refused, type Route, refused, route } from "../../api/route.js";
import { heads } from "../../chain/tables/heads.js";
import { caseStatesIn, listedView, shownView } from "../../chain/violation-cases.js";
import {
  cursorFrom,
  cursorText,
  isListed,
  placeFrom,
  type ViolationPage,
  violationAt,
  violationsOf,
} from "../../chain/violation-list.js";
import { chainKey } from "../../store/keys.js";
import type { Store } from "../../store/store.js";

export interface ViolationPorts {
  readonly store: Store;
  /** those of the node */
  services(): readonly number[];
}

type Query = QueryOf<typeof violations>;

export function violationRoutes({ store, services }: ViolationPorts): readonly Route[] {
  return [
    route(violations, ({ query, hidden }) => {
      const page = pageOf(store, query, hidden);
      if (page.type === "refused") return page;
      const { listed, next } = page;
      const value = {
        violations: listed,
        next: next === undefined ? null : cursorText(next),
        isComplete: isListed(store, services()),
        hidden: hidden
          .filter(({ service }) => service === (query.service ?? service))
          .map(({ service, readers }) => ({
            service,
            violations: store.get(heads, chainKey(service))?.counter ?? 0,
            readers: [...readers],
          })),
      };
      return { type: "value", value };
    }),
    route(violationsCsv, ({ query, hidden }) => {
      const page = pageOf(store, query, hidden);
      if (page.type === "refused") return page;
      const bytes = Buffer.from(csvOf(page.listed));
      if (page.next === undefined) return { type: "sent", bytes };
      const path = pathOf(violationsCsv, {}, { ...query, after: cursorText(page.next) });
      return { type: "sent", bytes, headers: { link: `<${path}>; rel="next"` } };
    }),
    route(violation, ({ parameters: { name } }) => {
      const place = placeFrom(name.split(":").map(Number));
      const found = place && violationAt(store, place);
      if (found === undefined) return refused("unknown-violation", `This node has no violation ${name}.`);
      return { type: "value", value: shownView(store, found) };
    }),
  ];
}

interface ListedPage extends Pick<ViolationPage, "next"> {
  readonly type: "page";
  readonly listed: ListedViolation[];
}

function pageOf(store: Store, query: Query, hidden: Asked["hidden"]): ListedPage | Refused {
  const { subject, kind, rule, state, service, from: from_ms, to: to_ms, after, limit } = query;
  const cursor = after === undefined ? undefined : cursorFrom(after);
  if (after !== undefined && cursor === undefined)
    return refused("malformed", `after is ${after}, the next of no page.`);
  const stateOf = caseStatesIn(store);
  const asked = {
    ...{ kind: kind as ViolationKind | undefined, rule, service, from_ms, to_ms, after: cursor, limit },
    hidden: new Set(hidden.map((chain) => chain.service)),
    subject: subject === undefined ? undefined : idFromText(subject),
    isWanted: state === undefined ? undefined : (found: FoundViolation) => stateOf(found) === state,
  };
  const { found, next } = violationsOf(store, asked);
  return { type: "page", listed: found.map((one) => listedView(stateOf, one)), next };
}
