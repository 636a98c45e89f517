// What people look for in the states of the market's contracts: communities, markets, grids, ratings, accesses. A view is a row here:
// which contract, which keys, which columns. Pure; what a value says otherwise than here stands as it is, so that nothing is hidden.

import type { Value } from "../../../src/wire/value.js";
import { decimalText } from "../parts/registers.js";
import type { TextKey } from "../texts.js";
import { type Curves, curvesOf } from "./curve.js";

/** A cell: a text, a moment, or a link. */
export type Cell = string | { readonly at_s: number } | { readonly text: string; readonly href: string };

export interface Section {
  readonly title: TextKey;
  readonly prefix: string;
  readonly heads: readonly TextKey[];
  /** `key`: what stands behind the prefix */
  readonly rows: (key: string, value: Value, service: number) => readonly (readonly Cell[])[];
  /** what is drawn of its newest slot */
  readonly curves?: (entries: readonly Pick<ViewedEntry, "key" | "value">[]) => Curves;
}

export interface View {
  readonly contract: string;
  readonly sections: readonly Section[];
}

export type ViewName = "community" | "market" | "grid" | "credit" | "access" | "studies";

const [KWH, MONEY] = [-6, -5];
const DAY_S = 86_400;
const PARTS = 100;

type Fields = Readonly<Record<string, Value>>;
const fields = (value: Value | undefined) => value as Fields;
const items = (value: Value | undefined) => value as readonly Value[];
const said = (value: Value | undefined): string => {
  if (value === null || value === undefined) return "–";
  if (typeof value === "object")
    return JSON.stringify(value, (_, one: unknown) => (typeof one === "bigint" ? String(one) : one));
  return String(value);
};
const amount = (value: Value | undefined, scaler: number) =>
  value === null || value === undefined ? "–" : decimalText(BigInt(value as number | bigint), scaler);
const moment = (value: Value | undefined): Cell =>
  value === null || value === undefined ? "–" : { at_s: Number(value) };
const day = (value: Value | undefined) => new Date(Number(value) * DAY_S * 1_000).toISOString().slice(0, 10);
const holder = (value: Value | undefined): Cell => ({ text: said(value), href: `#/search/${said(value)}` });
const point = (value: Value | undefined, service: number): Cell => ({
  text: said(value),
  href: `#/energy/${service}/${encodeURIComponent(said(value))}`,
});

const communities: View = {
  contract: "community",
  sections: [
    {
      title: "view.communities",
      prefix: "community/",
      heads: [
        "view.name",
        "view.manager",
        "view.members",
        "view.model",
        "view.price",
        "view.feed",
        "view.fee",
        "view.since",
      ],
      rows(id, value, service) {
        const { name, manager, members, terms } = fields(value);
        const { model, price, feed, fee, from } = fields(items(terms).at(-1));
        const bills = { text: `${said(name)} (${id})`, href: `#/bills/${service}/${encodeURIComponent(id)}` };
        const prices = [price, feed, fee].map((each) => amount(each, MONEY));
        return [[bills, holder(manager), said(members), said(model), ...prices, moment(from)]];
      },
    },
    {
      title: "view.members",
      prefix: "member/",
      heads: ["view.community", "view.point", "view.owner", "view.factor", "view.key", "view.since", "view.until"],
      rows(key, value, service) {
        return items(value).map((member) => {
          const [id, owner, factor, part, from, until] = items(member);
          const shares = [`${Number(factor) / PARTS} %`, said(part)];
          return [key.split("/")[0]!, point(id, service), holder(owner), ...shares, moment(from), moment(until)];
        });
      },
    },
    {
      title: "view.runs",
      prefix: "run/",
      heads: ["view.community", "view.period", "view.kind", "view.bills", "view.own", "view.block"],
      rows(key, value, service) {
        const [id, begin] = key.split("/") as [string, string];
        return items(value).map((ran) => {
          const [kind, height, , bills, own] = items(ran);
          const link = { text: said(kind), href: `#/bills/${service}/${encodeURIComponent(id)}/${Number(begin)}` };
          return [id, moment(Number(begin)), link, said(bills), amount(own, MONEY), blockCell(service, height)];
        });
      },
    },
  ],
};

/** Bids of a slot stand under some keys. */
function curvesOfSlot(entries: readonly Pick<ViewedEntry, "key" | "value">[], slot: string): Curves {
  const own = entries.filter(({ key, value }) => key.split("/")[1] === slot && Array.isArray(value));
  return curvesOf(own.flatMap(({ value }) => items(value)));
}

const markets: View = {
  contract: "auction",
  sections: [
    {
      title: "view.trades",
      prefix: "trade/",
      heads: ["view.slot", "view.clearing", "view.participant", "view.bought", "view.sold"],
      rows(slot, value) {
        const { price, rows } = fields(value);
        return items(rows).map((row) => {
          const [participant, bought, sold] = items(row);
          const energies = [bought, sold].map((each) => amount(each, KWH));
          return [moment(Number(slot)), amount(price, MONEY), holder(participant), ...energies];
        });
      },
    },
    {
      title: "view.bids",
      prefix: "bids/",
      heads: ["view.slot", "view.participant", "view.side", "view.price", "view.volume", "view.point"],
      curves(entries) {
        const slotOf = ({ key }: { readonly key: string }) => key.split("/")[1] ?? "";
        const slots = entries.map(slotOf).filter((slot) => curvesOfSlot(entries, slot).demand.length > 0);
        return curvesOfSlot(entries, slots.sort().at(-1) ?? "");
      },
      rows(key, value, service) {
        return items(value).map((bid) => {
          const [participant, digest, side, price, volume, at] = items(bid);
          const what = side === null ? `${said(digest).slice(0, 12)}…` : said(side);
          const carried = at === null ? "–" : point(at, service);
          return [
            moment(Number(key.split("/")[0])),
            holder(participant),
            what,
            amount(price, MONEY),
            amount(volume, KWH),
            carried,
          ];
        });
      },
    },
    {
      title: "view.limits",
      prefix: "limit/",
      heads: ["view.participant", "view.limit", "view.rebate"],
      rows(id, value) {
        const [limit, rebate] = items(value);
        return [[holder(id), amount(limit, MONEY), `${Number(rebate) / 10} %`]];
      },
    },
  ],
};

const grids: View = {
  contract: "dispatch",
  sections: [
    {
      title: "view.networks",
      prefix: "network",
      heads: ["view.network", "view.operator", "view.block"],
      rows(key, value, service) {
        if (key !== "") return []; // its parts: a file for gridseal grid check
        const { hash, operator, height } = fields(value);
        return [[said(hash).slice(0, 16), holder(operator), blockCell(service, height)]];
      },
    },
    {
      title: "view.transmissions",
      prefix: "transmission/",
      heads: [
        "view.contract",
        "view.slot",
        "view.verdict",
        "view.kept",
        "view.binding",
        "view.closest",
        "view.signedAt",
      ],
      rows(number, value, service) {
        const { slot_s, verdict, kept_permille, binding, closest, countersigned } = fields(value);
        const signed = countersigned === null ? "–" : blockCell(service, countersigned);
        const kept = `${Number(kept_permille) / 10} %`;
        return [[number, moment(slot_s), said(verdict), kept, said(binding), said(closest), signed]];
      },
    },
    {
      title: "view.carried",
      prefix: "transmission/",
      heads: ["view.contract", "view.point", "view.energy", "view.losses"],
      rows(number, value, service) {
        const { rows, losses } = fields(value);
        return items(rows).map((row, at) => {
          const [id, energy] = items(row);
          // Contracts of an earlier version say nothing of losses.
          const lost = losses === undefined ? null : items(losses)[at];
          return [number, point(id, service), amount(energy, KWH), amount(lost, KWH)];
        });
      },
    },
  ],
};

const credits: View = {
  contract: "credit",
  sections: [
    {
      title: "view.ratings",
      prefix: "rating/",
      heads: [
        "view.participant",
        "view.grade",
        "view.score",
        "view.limit",
        "view.bond",
        "view.list",
        "view.indicators",
        "view.rated",
      ],
      rows(id, value, service) {
        const { score, grade, standing, indicators, time_s } = fields(value);
        const { limit, bond_percent, list } = fields(standing);
        const parts = items(indicators).map((one) => {
          const { name, value: of, weight, inputs } = fields(one);
          return `${said(name)} ${said(of)} (${said(weight)}): ${said(inputs)}`;
        });
        const bond = `${said(bond_percent)} %`;
        const rated = { text: id, href: `#/credit/${service}/${id}` };
        return [
          [rated, said(grade), said(score), amount(limit, MONEY), bond, said(list), parts.join(" · "), moment(time_s)],
        ];
      },
    },
    {
      title: "view.objections",
      prefix: "case/",
      heads: ["view.number", "view.participant", "view.kind", "view.about"],
      rows(number, value) {
        const { participant, kind, fact } = fields(value);
        return [[number, holder(participant), said(kind), said(fact)]];
      },
    },
  ],
};

const accesses: View = {
  contract: "access",
  sections: [
    {
      title: "view.requests",
      prefix: "request/",
      heads: [
        "view.number",
        "view.requester",
        "view.meter",
        "view.purpose",
        "view.days",
        "view.state",
        "view.rule",
        "view.until",
      ],
      rows(id, value) {
        const { requester, meter, group, purpose, from, until, state, basis, until_s } = fields(value);
        const days = `${day(from)} – ${day(until)}`;
        const of = meter === undefined ? said(group) : holder(meter);
        return [[id, holder(requester), of, said(purpose), days, said(state), said(basis), moment(until_s)]];
      },
    },
    {
      title: "view.grants",
      prefix: "grant/",
      heads: ["view.number", "view.requester", "view.meter", "view.purpose", "view.days", "view.until"],
      rows(id, value) {
        const { requester, meter, group, purpose, from, until, days, until_s } = fields(value);
        const runs = meter === undefined ? [[from, until]] : items(days).map(items);
        const granted = runs.map(([first, behind]) => `${day(first)} – ${day(behind)}`);
        const of = meter === undefined ? said(group) : holder(meter);
        return [[id, holder(requester), of, said(purpose), granted.join(", "), moment(until_s)]];
      },
    },
    {
      title: "view.needs",
      prefix: "need/",
      heads: ["view.number", "view.purpose", "view.days", "view.about"],
      rows(id, value) {
        const [purpose, days, why] = items(value);
        return [[id, said(purpose), said(days), said(why)]];
      },
    },
  ],
};

const studies: View = {
  contract: "mining",
  sections: [
    {
      title: "view.studies",
      prefix: "study/",
      heads: [
        "view.number",
        "view.state",
        "view.kind",
        "view.requester",
        "view.purpose",
        "view.cohort",
        "view.group",
        "view.period",
        "view.until",
        "view.read",
        "view.result",
        "view.checks",
      ],
      rows(id, value) {
        const {
          state,
          kind,
          requester,
          purpose,
          cohort,
          class: of,
          size,
          from_s,
          to_s,
          service,
          result,
          checks,
        } = fields(value);
        const ran = result === null ? undefined : fields(result);
        const group =
          ran === undefined
            ? `${said(size)} ${said(of)}`
            : `${said(ran.group)} ${said(of)}, ≤ ${Number(ran.largest_permille) / 10} %`;
        const same = items(checks).filter((check) => items(check)[1] === true).length;
        return [
          [
            ...[id, said(state), said(kind), holder(requester), said(purpose), said(cohort), group],
            ...[moment(from_s), moment(to_s), ran === undefined ? "–" : blockCell(Number(service), ran.to)],
            ...[ran === undefined ? "–" : said(ran.result).slice(0, 16), `${same} / ${items(checks).length}`],
          ],
        ];
      },
    },
    {
      title: "view.cohorts",
      prefix: "cohort/",
      heads: ["view.name", "view.since", "view.kind", "view.members", "view.digest", "view.statedBy"],
      rows(name, value) {
        return items(value).map((stated) => {
          const { from, class: of, size, digest, by } = fields(stated);
          return [name, monthText(Number(from)), said(of), said(size), said(digest).slice(0, 16), holder(by)];
        });
      },
    },
    {
      title: "view.budgets",
      prefix: "budget/",
      heads: ["view.requester", "view.spent", "view.window"],
      rows(id, value) {
        const [window, spent] = items(value);
        return [[id, said(spent), said(window)]];
      },
    },
  ],
};

/** Months count from January 1970. */
function monthText(month: number): string {
  return new Date(Date.UTC(1_970, month)).toISOString().slice(0, 7);
}

export const views: Readonly<Record<ViewName, View>> = {
  community: communities,
  market: markets,
  grid: grids,
  credit: credits,
  access: accesses,
  studies,
};

/** The rows of an entry; where it is of another shape than the contract's here, one that shows it as it is. */
export function rowsOf({ prefix, heads, rows }: Section, entry: ViewedEntry): readonly (readonly Cell[])[] {
  try {
    return rows(entry.key.slice(prefix.length), entry.value, entry.service);
  } catch {
    return [[entry.key, said(entry.value), ...heads.slice(2).map(() => "")]];
  }
}

export interface ViewedEntry {
  readonly key: string;
  readonly value: Value;
  readonly service: number;
}

function blockCell(service: number, height: Value | undefined): Cell {
  return { text: `${service}:${said(height)}`, href: `#/chains/${service}/blocks/${said(height)}` };
}
