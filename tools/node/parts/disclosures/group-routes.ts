// GET /chains/<service>/grants/<grant>/group, and the sums that it lets this node work out. Who shows a session token gets his own grants
// alone; sums are sealed to the grant's key in any case.

import { aggregateInfo } from "../../../../src/wire/aggregate.js";
import { fromHex, toHex } from "../../../../src/wire/bytes.js";
import { encodeCbor } from "../../../../src/wire/cbor.js";
import { sealedShareToItems } from "../../../../src/wire/envelope.js";
import { sealTo } from "../../../crypto/hpke.js";
import { groupGrant, groupSums } from "../../../routes/group-grants.js";
import type { Holder } from "../../admission/token-judge.js";
import { type Refused, type Route, refused, route } from "../../api/route.js";
import { type GroupGrant, groupGrantInForce, rangeComplaint } from "../../disclosures/groups/group-grant.js";
import type { Groups } from "../../disclosures/groups/groups.js";
import type { DisclosuresPorts } from "../../disclosures/ports.js";

export interface GroupGrantPorts {
  readonly disclosures: Pick<DisclosuresPorts, "store" | "hasContract" | "now_ms" | "self">;
  readonly groups: Pick<Groups, "ask" | "head_s" | "computing">;
}

interface Sought {
  readonly service: number;
  readonly grant: string;
}

export function groupGrantRoutes({ disclosures, groups }: GroupGrantPorts): readonly Route[] {
  const { self } = disclosures;
  const find = ({ service, grant: id }: Sought, shown: Holder | undefined): GroupGrant | Refused => {
    const found = groupGrantInForce(disclosures, service, id);
    const isTheirs = shown?.credential === undefined || shown.id === found?.requester;
    if (found !== undefined && isTheirs) return found;
    return refused("no-grant", `No grant ${id} of sums over a group is in force on chain ${service} for who asks.`);
  };
  return [
    route(groupGrant, ({ parameters, shown }) => {
      const found = find(parameters, shown);
      if ("type" in found) return found;
      const { id: _id, chain, meters, rule: _rule, ...stated } = found;
      const computing = [...groups.computing(found)];
      const here = { custodian: toHex(self), computing, head_s: groups.head_s(chain) };
      return { type: "value", value: { ...stated, meters: meters.length, ...here } };
    }),
    route(groupSums, ({ parameters, shown }) => {
      const found = find(parameters, shown);
      if ("type" in found) return found;
      const { from: from_s, until: until_s } = parameters;
      const complaint = rangeComplaint(found, { from_s, until_s });
      if (complaint !== undefined)
        return refused("malformed", `No slots from ${from_s} to ${until_s} s: ${complaint}.`);
      const answer = groups.ask(found, { from_s, until_s, slot_s: found.slot_s });
      switch (answer.type) {
        case "sums": {
          const info = aggregateInfo(self, found.id, from_s);
          const sealed = sealTo(fromHex(found.key)!, info, answer.bytes);
          return { type: "sent", bytes: encodeCbor(sealedShareToItems(sealed)) };
        }
        case "waiting":
          return refused("waiting", `The sums of ${found.id} are not here yet: ${answer.reason}.`);
        case "busy":
          return refused("busy", "This node works out the sums of as many others as it may.");
        case "withheld":
          return refused("withheld", "A meter of the group has no such day any more: it is erased.");
        case "not-computing":
          return refused("not-computing", `Others work for ${found.id}: ${answer.computing.join(", ")}.`);
      }
    }),
  ];
}
