// The access contract: who may see what a meter confides, for which purpose, for which days. What no rule allows is denied, and a
// prohibition wins. States of a request have the names of EDDIE, roles those of Regulation (EU) 2023/1162.
// Parameters: `rule-ROLE-PURPOSE`, "BASIS DAYS PLACES" with BASIS `consent`, `decision` or `law`, DAYS the longest period and PLACES
// `*` or codes of ISO 3166 with commas between; `prohibit-PURPOSE`, PLACES; `nodes-PLACE`, the IDs of the nodes that stand there, with commas
// between, and no others keep shares then; `residency-PURPOSE`, PLACES where all of them must stand; `answer_days`, how long a request waits for its answer
// (14); `grant_days`, how long a grant holds behind its period and its decision (30); `horizon_days`, how far ahead a period may end
// (366); `requests` and `needs`, how many one party may have, by all of its keys (100, 20); `administrators`, the IDs that may state subjects (any with
// the role); `group-ROLE-PURPOSE`, as a rule, for sums over a group, BASIS `decision` or `law`; `group_slot_s` and `group_lateness_s`, the
// length of their slots (900) and how long records of a slot may come (86,400); `erasure`, `subject` where subjects may have their days erased; `readers`, numbers of the roles that nodes show the chain to.
// Beside a rule, of a group too, a prohibition, a residency or `requests` stands `NAME_law`, its paragraph; `rules_law` is that of what no rule allows.

import type { Context, Deadline, Operation } from "../../contracts/author.js";
import { erase } from "./erasure.js";
import { nameGroup, requestGroup } from "./group-requests.js";
import { publishNeed, takeNeedBack } from "./needs.js";
import { consent, decide, end, object, request, withdraw } from "./requests.js";
import { confirm, nameSubject } from "./subjects.js";
import { TYPES } from "./types.js";

export { writes } from "./kept.js";
export const reads: readonly string[] = [];

export function operation(context: Context, asked: Operation): void {
  switch (asked.type) {
    case TYPES.subject:
      return nameSubject(context, asked);
    case TYPES.group:
      return nameGroup(context, asked);
    case TYPES.groupRequest:
      return requestGroup(context, asked);
    case TYPES.confirmation:
      return confirm(context, asked);
    case TYPES.need:
      return publishNeed(context, asked);
    case TYPES.request:
      return request(context, asked);
    case TYPES.consent:
      return consent(context, asked);
    case TYPES.objection:
      return object(context, asked);
    case TYPES.withdrawal:
      return takeNeedBack(context, asked) ? undefined : withdraw(context, asked);
    case TYPES.decision:
      return decide(context, asked);
    case TYPES.erasure:
      return erase(context, asked);
    default:
      return context.deny("unknown");
  }
}

export function due(context: Context, { body }: Deadline): void {
  end(context, body);
}
