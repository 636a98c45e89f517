// A community's bills as their sealed blocks have them, each line added up again here from the sealed slots that it names.

import { useEffect, useState } from "preact/hooks";
import { HEIGHT_MAX } from "../../../src/wire/bounds.js";
import { WireError } from "../../../src/wire/error.js";
import { valueFromJson } from "../../contracts/value-json.js";
import { reasonOf } from "../../errors.js";
import { contractsAt } from "../../ledger/contract-orders.js";
import { governedHeight } from "../../ledger/governance.js";
import { type StateAnswer, state as stateShape } from "../../routes/state.js";
import { askValue } from "../network/ask.js";
import type { Network } from "../network/network.js";
import { readOrders } from "../network/orders.js";
import { effectsIn, sealedBlock } from "../network/sealed.js";
import { Shown, useAsked } from "../parts/asked.js";
import { Time } from "../parts/figures.js";
import { Mark } from "../parts/mark.js";
import { decimalText } from "../parts/registers.js";
import { Table } from "../parts/table.js";
import { numberOf } from "../route.js";
import { text } from "../texts.js";
import type { FindingState } from "../verification/finding.js";
import {
  type Bill,
  type BillLine,
  type Recomputed,
  recomputeLine,
  recomputeTotal,
  type SlotShares,
} from "../verification/recompute.js";
import type { PageProps } from "./page-props.js";

const CONTRACT = "community";
const [KWH, MONEY] = [-6, -5];
/** Blocks that are read for one bill. */
const BLOCKS_MAX = 2_000;

export function BillsPage({ network, place }: PageProps) {
  const [service, community, period] = [numberOf(place.parts[0]), place.parts[1], numberOf(place.parts[2])];
  if (service === undefined || community === undefined) return <Communities network={network} />;
  const of = { network, service, community };
  return (
    <article>
      <h1>{text("bills.title", { community })}</h1>
      {period === undefined ? <Periods of={of} /> : <Bills key={location.hash} of={of} period={period} />}
    </article>
  );
}

interface Of {
  readonly network: Network;
  readonly service: number;
  readonly community: string;
}

type Entries = StateAnswer["entries"];

async function entries(service: number, prefix: string): Promise<Entries> {
  const query = { prefix, limit: 500 };
  return (await askValue(stateShape, { parameters: { service, contract: CONTRACT }, query })).entries;
}

function Communities({ network }: { readonly network: Network }) {
  const asked = useAsked(async () => {
    const { governance } = await readOrders(network.genesis);
    const judgedAt = governedHeight(governance);
    const found: { readonly service: number; readonly chain: string; readonly id: string }[] = [];
    for (const { chain } of governance.chains) {
      const place = { service: chain.service, height: HEIGHT_MAX, judgedAt };
      if (!contractsAt(governance.contracts, place).some(({ install }) => install.name === CONTRACT)) continue;
      for (const { key } of await entries(chain.service, "community/")) {
        found.push({ service: chain.service, chain: chain.name, id: key.slice("community/".length) });
      }
    }
    return found;
  }, [network]);
  return (
    <article>
      <h1>{text("page.bills")}</h1>
      <Shown asked={asked}>
        {(found) => (
          <section>
            {found.length === 0 && <p>{text("bills.none")}</p>}
            <ul class="hits">
              {found.map(({ service, chain, id }) => (
                <li key={`${service}/${id}`}>
                  <a href={`#/bills/${service}/${encodeURIComponent(id)}`}>
                    {id} · {chain}
                  </a>
                </li>
              ))}
            </ul>
          </section>
        )}
      </Shown>
    </article>
  );
}

function Periods({ of: { service, community } }: { readonly of: Of }) {
  const asked = useAsked(() => entries(service, `run/${community}/`), [service, community]);
  return (
    <Shown asked={asked}>
      {(runs) => (
        <section>
          {runs.length === 0 && <p>{text("bills.none")}</p>}
          <ul class="hits">
            {runs.map(({ key }) => {
              const begin = Number(key.split("/").at(-1));
              return (
                <li key={key}>
                  <a href={`#/bills/${service}/${encodeURIComponent(community)}/${begin}`}>
                    <Time at_ms={begin * 1_000} />
                  </a>
                </li>
              );
            })}
          </ul>
        </section>
      )}
    </Shown>
  );
}

interface SealedBill {
  readonly height: number;
  readonly index: number;
  readonly bill: Bill;
}

async function readBills({ network, service, community }: Of, period: number): Promise<readonly SealedBill[]> {
  const [run] = await entries(service, `run/${community}/${String(period).padStart(13, "0")}`);
  const heights = ((run === undefined ? [] : valueFromJson(run.value, "run")) as [string, number][]).map(
    ([, at]) => at,
  );
  const found: SealedBill[] = [];
  for (const height of heights) {
    for (const { name, body, index } of effectsIn(await sealedBlock(network, service, height), CONTRACT)) {
      const bill = body as unknown as Bill;
      if (name === "bill" && bill.community === community) found.push({ height, index, bill });
    }
  }
  return found;
}

function Bills({ of, period }: { readonly of: Of; readonly period: number }) {
  const asked = useAsked(() => readBills(of, period), [of.service, of.community, period]);
  return (
    <Shown asked={asked}>
      {(bills) => (
        <>
          {bills.length === 0 && <p>{text("bills.none")}</p>}
          {bills.map((sealed) => (
            <BillView key={`${sealed.height}/${sealed.index}`} sealed={sealed} of={of} />
          ))}
        </>
      )}
    </Shown>
  );
}

interface Computed {
  readonly lines: readonly Recomputed[];
  readonly total: Recomputed;
}

function BillView({ sealed: { bill, height, index }, of }: { readonly sealed: SealedBill; readonly of: Of }) {
  const [computed, setComputed] = useState<Computed | undefined>(undefined);
  useEffect(() => {
    let isWanted = true;
    compute(bill, of).then(
      (found) => isWanted && setComputed(found),
      (error: unknown) => {
        const state: FindingState = error instanceof WireError ? "wrong" : "open";
        const why = { state, reason: reasonOf(error) };
        if (isWanted) setComputed({ lines: bill.lines.map(() => why), total: why });
      },
    );
    return () => {
      isWanted = false;
    };
  }, [height, index]);
  const [begin, end] = bill.period;
  return (
    <section class="bill" data-bill={bill.point}>
      <h2>
        {bill.point} · {bill.owner}
      </h2>
      <p class="quiet">
        <Time at_ms={begin * 1_000} /> – {end === null ? text("bills.now") : <Time at_ms={end * 1_000} />} ·{" "}
        {text("bills.kind", { kind: bill.kind, number: bill.number })} ·{" "}
        <a href={`#/chains/${of.service}/blocks/${height}`}>
          {of.service}:{height}
        </a>{" "}
        <Mark state="sealed" short />
      </p>
      <Table
        caption={text("bills.title", { community: bill.community })}
        heads={["bills.for", "bills.energy", "bills.price", "bills.amount", "bills.slots", "bills.computed"]}
      >
        {bill.lines.map((line, at) => (
          <LineRow
            key={`${line[0]} ${line[7]} ${line[2]}`}
            line={line}
            computed={computed?.lines[at] ?? { state: "open" }}
          />
        ))}
      </Table>
      <p class="total">
        {text(BigInt(bill.amount) < 0n ? "bills.get" : "bills.pay")} <b>{decimalText(BigInt(bill.amount), MONEY)}</b>{" "}
        <Said computed={computed?.total ?? { state: "open" }} />
      </p>
    </section>
  );
}

function LineRow({ line, computed }: { readonly line: BillLine; readonly computed: Recomputed }) {
  const [what, energy, price, amount, slots, estimated, missing] = line;
  return (
    <tr data-line={what} data-state={computed.state}>
      <td>{text(`bills.${what}`)}</td>
      <td class="number">{energy === null ? "–" : decimalText(BigInt(energy), KWH)}</td>
      <td class="number">
        {decimalText(BigInt(price), MONEY)} <Mark state="sealed" short />
      </td>
      <td class="number">{decimalText(BigInt(amount), MONEY)}</td>
      <td>{text("bills.counts", { slots, estimated, missing })}</td>
      <td>
        <Said computed={computed} />
      </td>
    </tr>
  );
}

function Said({ computed: { state, reason } }: { readonly computed: Recomputed }) {
  return (
    <>
      <Mark state={state} /> {state !== "verified" && reason}
    </>
  );
}

/** All blocks that the bill's lines name, each with its seal, then the sums. */
async function compute(bill: Bill, { network, service }: Of): Promise<Computed> {
  const energies = bill.lines.filter(([, energy]) => energy !== null);
  const from = Math.min(...energies.map((line) => line[9]));
  const to = Math.max(...energies.map((line) => line[10]));
  const shares: SlotShares[] = [];
  if (to - from >= BLOCKS_MAX) throw new Error(text("bills.long", { count: BLOCKS_MAX }));
  for (let height = from; height <= to; height += 1) {
    for (const { name, body } of effectsIn(await sealedBlock(network, service, height), CONTRACT)) {
      if (name === "shares" || name === "corrected") shares.push(body as unknown as SlotShares);
    }
  }
  return { lines: bill.lines.map((line) => recomputeLine(line, bill, shares)), total: recomputeTotal(bill) };
}
