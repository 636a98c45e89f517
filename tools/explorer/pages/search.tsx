// Finds what somebody has a name of: a height, an id, a hash, a point, a rule, an order. What orders and credentials say is looked up;
// hashes of blocks and records are looked for in the newest blocks.

import { useEffect, useState } from "preact/hooks";
import { decodeBlockViews } from "../../../src/wire/block.js";
import { fromHex, toHex } from "../../../src/wire/bytes.js";
import { verifyCredential } from "../../../src/wire/credential.js";
import { sha256 } from "../../../src/wire/hash.js";
import { headerHash } from "../../../src/wire/header.js";
import { parseAnyRecord } from "../../../src/wire/operation.js";
import { reasonOf } from "../../errors.js";
import { kidOf } from "../../ledger/record-scan.js";
import { decodeHolderRow, HOLDER_ROW_BYTES_MAX, holders } from "../../routes/holders.js";
import type { Strip } from "../live/strips.js";
import { askBytes, itemsIn } from "../network/ask.js";
import type { Network } from "../network/network.js";
import { readOrders } from "../network/orders.js";
import { text } from "../texts.js";
import { browserVerify } from "../verification/signatures.js";
import type { PageProps } from "./page-props.js";

/** Blocks of a chain that are looked through for a hash, so many at a time. */
const BLOCKS_SEARCHED_MAX = 2_000;
const BLOCKS_AT_ONCE = 100;

interface Hit {
  readonly address: string;
  readonly label: string;
}

export function SearchPage({ network, place, live }: PageProps) {
  const what = place.parts.join("/");
  const [hits, setHits] = useState<readonly Hit[]>([]);
  const [state, setState] = useState<{ readonly isOver: boolean; readonly reached: string }>({
    isOver: false,
    reached: "",
  });
  const isReady = live.strips.length > 0;
  useEffect(() => {
    const stopping = { isOver: false };
    setHits([]);
    setState({ isOver: false, reached: "" });
    if (isReady) void run({ what, network, strips: live.strips }, stopping, setHits, setState);
    return () => {
      stopping.isOver = true;
    };
  }, [what, isReady]);
  return (
    <article>
      <h1>{text("search.title", { what })}</h1>
      <section aria-live="polite">
        <ul class="hits">
          {hits.map(({ address, label }) => (
            <li key={address}>
              <a href={address}>{label}</a>
            </li>
          ))}
        </ul>
        {!state.isOver && <p class="quiet">{text("search.looking")}</p>}
        {state.isOver && hits.length === 0 && <p>{text("search.none")}</p>}
        <p class="quiet">{state.reached}</p>
      </section>
    </article>
  );
}

interface Wanted {
  readonly what: string;
  readonly network: Network;
  readonly strips: readonly Strip[];
}

type Stopping = { readonly isOver: boolean };
type Tell = (hits: (known: readonly Hit[]) => readonly Hit[]) => void;

async function run(
  wanted: Wanted,
  stopping: Stopping,
  ...[setHits, setState]: [Tell, (state: { isOver: boolean; reached: string }) => void]
): Promise<void> {
  const add = (hits: readonly Hit[]) => {
    if (!stopping.isOver) setHits((known) => [...known, ...hits]);
  };
  let reached = "";
  add(atOnce(wanted));
  try {
    add(await fromOrders(wanted));
    add(await holdersOf(wanted));
    if (/^[0-9a-f]{64}$/.test(wanted.what)) {
      for (const strip of wanted.strips) reached += `${await fromBlocks(wanted, strip, stopping, add)} `;
    }
  } catch (error) {
    reached = reasonOf(error);
  }
  if (!stopping.isOver) setState({ isOver: true, reached });
}

/** What the name alone tells. */
function atOnce({ what, network, strips }: Wanted): Hit[] {
  const [, chain, at] = /^([a-z0-9-]+):(\d{1,13})$/.exec(what) ?? [];
  const block = ({ service, name }: Strip, height: number) => ({
    address: `#/chains/${service}/blocks/${height}`,
    label: text("search.block", { height, chain: name }),
  });
  const named = strips.filter(
    ({ service, name }) => chain !== undefined && (chain === name || chain === String(service)),
  );
  const hits = named.map((strip) => block(strip, Number(at)));
  if (/^\d{1,13}$/.test(what)) {
    hits.push(
      ...strips
        .filter(({ height }) => Number(what) >= 1 && Number(what) <= height)
        .map((strip) => block(strip, Number(what))),
    );
  }
  if (what === toHex(network.genesis.hash)) hits.push({ address: "#/chains", label: text("search.genesis") });
  if (/^[0-9a-f]{16}$/.test(what)) {
    const name = network.nameOf(what);
    if (name !== what) hits.push({ address: "#/health", label: text("search.node", { name }) });
    hits.push({ address: `#/violations/subject/${what}`, label: text("search.against") });
  }
  const rule = /^[a-z][a-z0-9-]{0,63}\/[a-z][a-z0-9-]{0,63}$/.test(what);
  if (rule) {
    hits.push({
      address: `#/violations/rule/${encodeURIComponent(what)}`,
      label: text("search.ofRule", { rule: what }),
    });
  }
  return hits;
}

async function fromOrders({ what, network, strips }: Wanted): Promise<Hit[]> {
  const { rows, governance } = await readOrders(network.genesis);
  const nameOf = (service: number) => strips.find((strip) => strip.service === service)?.name ?? String(service);
  const hits: Hit[] = [];
  if (rows.some(({ order }) => String(order.number) === what)) {
    hits.push({ address: "#/orders", label: text("search.order", { number: Number(what) }) });
  }
  const contracts = new Map<string, Hit>();
  for (const { action } of governance.contracts.rulings) {
    const isNamed = action.type === "install" && (action.name === what || toHex(action.source) === what);
    if (!isNamed) continue;
    const address = `#/contracts/${action.service}/${action.name}`;
    const label = text("search.contract", { name: action.name, chain: nameOf(action.service) });
    contracts.set(address, { address, label });
    const rule = { address: `#/violations/rule/${action.name}`, label: text("search.ofRule", { rule: action.name }) };
    contracts.set(rule.address, rule);
  }
  const isPoint = rows.some(
    ({ order: { action } }) => action.type === "assign" && action.assignments.some(({ point }) => point === what),
  );
  const points = isPoint ? strips.filter(({ name }) => name !== "contracts") : [];
  return [
    ...hits,
    ...contracts.values(),
    ...points.map(({ service, name }) => ({
      address: `#/energy/${service}/${encodeURIComponent(what)}`,
      label: text("search.point", { point: what, chain: name }),
    })),
  ];
}

/** Chains on which somebody with this id signs, as their credentials say. */
async function holdersOf({ what, network, strips }: Wanted): Promise<Hit[]> {
  if (!/^[0-9a-f]{16}$/.test(what)) return [];
  const hits: Hit[] = [];
  for (const { service, name } of strips) {
    const bytes = await askBytes(holders, { parameters: { service }, query: { from: what, limit: 1 } });
    const [row] = itemsIn(bytes, { size: HOLDER_ROW_BYTES_MAX, items: 8 }).map(decodeHolderRow);
    if (row === undefined || toHex(row.kid) !== what) continue;
    const { subject } = verifyCredential(row.credential, network.genesis, browserVerify);
    const newest = text("search.newest", { seq: row.high });
    const label = `${text("search.holder", { subject, chain: name })}: ${newest}`;
    hits.push({ address: `#/records/${service}/${what}/${row.high}`, label });
  }
  return hits;
}

/** Blocks and records of this hash in the newest blocks of a chain; what was looked through. */
async function fromBlocks(
  { what, network }: Wanted,
  { service, name, height }: Strip,
  ...[stopping, add]: [Stopping, (hits: readonly Hit[]) => void]
): Promise<string> {
  const hash = fromHex(what)!;
  const least = Math.max(1, height - BLOCKS_SEARCHED_MAX + 1);
  for (let to = height; to >= least && !stopping.isOver; to -= BLOCKS_AT_ONCE) {
    const from = Math.max(least, to - BLOCKS_AT_ONCE + 1);
    const blocks = await network.blocks(service, from, to - from + 1);
    for (const [index, bytes] of blocks.entries()) {
      const block = decodeBlockViews(bytes);
      const at = from + index;
      if (toHex(headerHash(block.header)) === what || toHex(block.stateRoot) === what) {
        add([
          { address: `#/chains/${service}/blocks/${at}`, label: text("search.block", { height: at, chain: name }) },
        ]);
      }
      for (const record of block.batches.flatMap(({ records }) => records)) {
        if (sha256(record).some((byte, place) => byte !== hash[place])) continue;
        const kid = toHex(kidOf({ bytes: record }));
        const { seq } = parseAnyRecord(record).claims;
        add([{ address: `#/records/${service}/${kid}/${seq}`, label: text("search.record", { seq, kid }) }]);
      }
    }
  }
  return `${name}:${least}`;
}
