// A point's energy, slot by slot, each held to its sealed block; and what a community has shared of it, computed again. What was not
// measured is a gap, in the picture as in the table.

import { useEffect, useState } from "preact/hooks";
import { HEIGHT_MAX } from "../../../src/wire/bounds.js";
import { toHex } from "../../../src/wire/bytes.js";
import { WireError } from "../../../src/wire/error.js";
import type { PointRow } from "../../../src/wire/slot.js";
import { reasonOf } from "../../errors.js";
import { contractsAt, planOf } from "../../ledger/contract-orders.js";
import { governedHeight } from "../../ledger/governance.js";
import {
  decodeHolderRow,
  HOLDER_ROW_BYTES_MAX,
  HOLDERS_PER_ANSWER_MAX,
  type HolderRow,
  holders,
} from "../../routes/holders.js";
import { askBytes, itemsIn } from "../network/ask.js";
import type { Network } from "../network/network.js";
import { type Orders, readOrders } from "../network/orders.js";
import { effectsIn, provedSlot } from "../network/sealed.js";
import { Shown, useAsked } from "../parts/asked.js";
import { Time } from "../parts/figures.js";
import { Mark } from "../parts/mark.js";
import { decimalText } from "../parts/registers.js";
import { Table } from "../parts/table.js";
import { numberOf } from "../route.js";
import { text } from "../texts.js";
import type { FindingState } from "../verification/finding.js";
import { type Recomputed, recomputeShares, type ShareRow, type SlotShares } from "../verification/recompute.js";
import { assignedPoints, type NamedPoint, ownPoints } from "../views/points.js";
import type { PageProps } from "./page-props.js";

const SLOTS = 24;
const KWH = -6;
const CHART = { width: 720, height: 140 } as const;

interface Slot {
  readonly start_s: number;
  readonly state: FindingState;
  readonly reason?: string;
  readonly row?: PointRow | undefined;
  readonly height?: number;
  readonly share?: { readonly row: ShareRow; readonly computed: Recomputed };
}

export function EnergyPage({ network, place }: PageProps) {
  const asked = useAsked(() => readOrders(network.genesis), [network]);
  const [service, point] = [numberOf(place.parts[0]), place.parts.slice(1).join("/")];
  return (
    <article>
      <h1>{point === "" ? text("page.energy") : text("energy.title", { point })}</h1>
      <Shown asked={asked}>
        {(orders) =>
          service === undefined || point === "" ? (
            <Points orders={orders} />
          ) : (
            <PointSlots key={location.hash} network={network} orders={orders} service={service} point={point} />
          )
        }
      </Shown>
    </article>
  );
}

/** How a chain settles by the orders; undefined where it closes no slots. */
function planFor({ governance }: Orders, service: number) {
  const place = { service, height: HEIGHT_MAX, judgedAt: governedHeight(governance) };
  return planOf(contractsAt(governance.contracts, place));
}

function Points({ orders }: { readonly orders: Orders }) {
  const chains = orders.governance.chains.filter(({ chain }) => planFor(orders, chain.service) !== undefined);
  return (
    <section>
      <p class="quiet">{text("energy.which")}</p>
      {chains.length === 0 && <p>{text("energy.none")}</p>}
      {chains.map(({ chain: { service, name } }) => (
        <ChainPoints key={service} orders={orders} service={service} name={name} />
      ))}
    </section>
  );
}

interface ChainPointsProps {
  readonly orders: Orders;
  readonly service: number;
  /** of the chain */
  readonly name: string;
}

/** A meter that is assigned to no point is one itself: the chain's meters stand behind the points that orders name. */
function ChainPoints({ orders, service, name: chain }: ChainPointsProps) {
  const [pages, setPages] = useState(1);
  const asked = useAsked(() => readHolders(service, pages), [service, pages], true);
  const assigned = assignedPoints(orders.rows.map(({ order }) => order));
  return (
    <>
      <PointList points={assigned} service={service} chain={chain} />
      <Shown asked={asked}>
        {({ rows, hasMore }) => {
          const own = ownPoints(rows, orders.governance.assignments);
          return (
            <>
              {assigned.length + own.length === 0 && <p>{text("energy.no-points", { chain })}</p>}
              <PointList points={own} service={service} chain={chain} />
              {hasMore && (
                <button type="button" onClick={() => setPages(pages + 1)}>
                  {text("app.more")}
                </button>
              )}
            </>
          );
        }}
      </Shown>
    </>
  );
}

interface PointListProps {
  readonly points: readonly NamedPoint[];
  readonly service: number;
  readonly chain: string;
}

function PointList({ points, service, chain }: PointListProps) {
  return (
    <ul class="hits">
      {points.map(({ point, name }) => (
        <li key={point}>
          <a href={`#/energy/${service}/${encodeURIComponent(point)}`}>
            {name !== undefined && `${name} · `}
            {point} · {chain}
          </a>
        </li>
      ))}
    </ul>
  );
}

/** Who signs on the chain, so many answers of them, as the node has it. */
async function readHolders(service: number, pages: number) {
  const rows: HolderRow[] = [];
  for (let page = 0, from = "0".repeat(16); page < pages; page += 1) {
    const query = { from, limit: HOLDERS_PER_ANSWER_MAX };
    const bytes = await askBytes(holders, { parameters: { service }, query });
    const found = itemsIn(bytes, { size: HOLDER_ROW_BYTES_MAX, items: 8 }).map(decodeHolderRow);
    rows.push(...found);
    const last = found.at(-1);
    if (last === undefined || found.length < HOLDERS_PER_ANSWER_MAX) return { rows, hasMore: false };
    from = (BigInt(`0x${toHex(last.kid)}`) + 1n).toString(16).padStart(16, "0");
  }
  return { rows, hasMore: true };
}

interface PointProps {
  readonly network: Network;
  readonly orders: Orders;
  readonly service: number;
  readonly point: string;
}

function PointSlots({ network, orders, service, point }: PointProps) {
  const plan = planFor(orders, service);
  const [slots, setSlots] = useState<readonly Slot[]>([]);
  const [wanted, setWanted] = useState(SLOTS);
  useEffect(() => {
    if (plan === undefined) return;
    const stopping = { isOver: false };
    const newest = Math.floor((Date.now() / 1_000 - plan.slot_s) / plan.slot_s) * plan.slot_s;
    const run = async () => {
      const found: Slot[] = [];
      for (let index = 0; index < wanted && !stopping.isOver; index += 1) {
        const slot = await slotOf(network, { service, point, start_s: newest - index * plan.slot_s });
        // The newest ones may not be closed yet: they are no gaps.
        if (slot.row === undefined && slot.state === "open" && found.length === 0) continue;
        found.push(slot);
        if (!stopping.isOver) setSlots([...found]);
      }
    };
    void run();
    return () => {
      stopping.isOver = true;
    };
  }, [service, point, wanted]);
  if (plan === undefined) return <p>{text("energy.none")}</p>;
  return (
    <section>
      <Chart slots={[...slots].reverse()} />
      <Table
        caption={text("energy.title", { point })}
        heads={["energy.slot", "energy.taken", "energy.given", "energy.quality", "energy.community", "energy.proved"]}
      >
        {slots.map((slot) => (
          <SlotRow key={slot.start_s} slot={slot} service={service} />
        ))}
      </Table>
      <button type="button" onClick={() => setWanted(wanted + SLOTS)}>
        {text("app.more")}
      </button>
    </section>
  );
}

async function slotOf(
  network: Network,
  { service, point, start_s }: { readonly service: number; readonly point: string; readonly start_s: number },
): Promise<Slot> {
  try {
    const proved = await provedSlot(network, service, start_s);
    if (proved === undefined) return { start_s, state: "open" };
    const row = proved.rows.find((one) => one.point === point);
    const effects = effectsIn(proved.block, "community").filter(({ name }) => name === "shares");
    const own = effects
      .map(({ body }) => body as unknown as SlotShares)
      .find(({ start, rows }) => start === start_s && rows.some(([of]) => of === point));
    const share = own && { row: own.rows.find(([of]) => of === point)!, computed: recomputeShares(own) };
    return { start_s, state: "verified", row, height: proved.height, ...(share && { share }) };
  } catch (error) {
    return { start_s, state: error instanceof WireError ? "wrong" : "open", reason: reasonOf(error) };
  }
}

function SlotRow({
  slot: { start_s, state, reason, row, height, share },
  service,
}: {
  readonly slot: Slot;
  readonly service: number;
}) {
  return (
    <tr data-slot={start_s} data-state={state}>
      <td>
        <Time at_ms={start_s * 1_000} />
      </td>
      <td class="number">{energyText(row?.imported)}</td>
      <td class="number">{energyText(row?.exported)}</td>
      <td>
        {row === undefined ? text("energy.gap") : text(`quality.${row.quality}`)}
        {row !== undefined && row.doubts > 0 && <> · {text("energy.doubted")}</>}
      </td>
      <td>
        {share === undefined ? (
          "–"
        ) : (
          <>
            {text("energy.shared", {
              covered: energyText(BigInt(share.row[3])),
              offered: energyText(BigInt(share.row[2])),
            })}{" "}
            <Mark state={share.computed.state} short /> {share.computed.state === "wrong" && share.computed.reason}
          </>
        )}
      </td>
      <td>
        <Mark state={state} /> {reason}{" "}
        {height !== undefined && (
          <a href={`#/chains/${service}/blocks/${height}`}>
            {service}:{height}
          </a>
        )}
      </td>
    </tr>
  );
}

/** kWh; a gap where it is not known. */
function energyText(energy: bigint | null | undefined): string {
  return energy === null || energy === undefined ? "–" : decimalText(energy, KWH);
}

/** Bars of what was taken, above the line, and given, below it; a gap where nothing is known. The table says the same. */
function Chart({ slots }: { readonly slots: readonly Slot[] }) {
  const most = slots.reduce((max, { row }) => {
    const [taken, given] = [row?.imported ?? 0n, row?.exported ?? 0n];
    return [max, taken, given].reduce((one, other) => (other > one ? other : one));
  }, 1n);
  const width = CHART.width / Math.max(1, slots.length);
  const half = CHART.height / 2;
  const heightOf = (energy: bigint) => (half - 4) * (Number((energy * 1_000n) / most) / 1_000);
  return (
    <svg class="chart" viewBox={`0 0 ${CHART.width} ${CHART.height}`} role="img" aria-label={text("energy.chart")}>
      <line x1="0" x2={CHART.width} y1={half} y2={half} />
      {slots.map(({ start_s, row }, index) => {
        const x = index * width + 1;
        if (row === undefined || (row.imported === null && row.exported === null)) {
          return <rect key={start_s} class="gap" x={x} y={half - 6} width={Math.max(1, width - 2)} height={12} />;
        }
        const [taken, given] = [heightOf(row.imported ?? 0n), heightOf(row.exported ?? 0n)];
        return (
          <g key={start_s}>
            <rect class="taken" x={x} y={half - taken} width={Math.max(1, width - 2)} height={taken} />
            <rect class="given" x={x} y={half} width={Math.max(1, width - 2)} height={given} />
          </g>
        );
      })}
    </svg>
  );
}
