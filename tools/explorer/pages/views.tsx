// Community, Market, Grid, Credit, Access, Studies: what the market's contracts remember, as people look for it. Each row has the mark of its own
// proof; the chains whose contracts these are follow from verified orders.

import { useState } from "preact/hooks";
import { HEIGHT_MAX } from "../../../src/wire/bounds.js";
import { valueFromJson } from "../../contracts/value-json.js";
import { contractsAt } from "../../ledger/contract-orders.js";
import { governedHeight } from "../../ledger/governance.js";
import type { Network } from "../network/network.js";
import { type Orders, readOrders } from "../network/orders.js";
import { type AskedState, type Entry, tellEntries } from "../network/proved-state.js";
import { Shown, useAsked } from "../parts/asked.js";
import { CurvesChart } from "../parts/curves.js";
import { Time } from "../parts/figures.js";
import { Mark } from "../parts/mark.js";
import { useProved } from "../parts/proved.js";
import { Table } from "../parts/table.js";
import { numberOf } from "../route.js";
import { text } from "../texts.js";
import { type Cell, rowsOf, type Section, type ViewName, views } from "../views/views.js";
import type { PageProps } from "./page-props.js";
import { RatingView } from "./rating.js";

const ENTRIES = 50;

export function ViewPage({ network, place }: PageProps) {
  const name = place.page as ViewName;
  const asked = useAsked(() => readOrders(network.genesis), [network]);
  const [service, participant] = [numberOf(place.parts[0]), place.parts[1]];
  const isRating = name === "credit" && service !== undefined && participant !== undefined;
  return (
    <article key={name}>
      <h1>{isRating ? text("rating.title", { participant }) : text(`page.${name}`)}</h1>
      {isRating ? (
        <RatingView key={location.hash} network={network} service={service} participant={participant} />
      ) : (
        <Shown asked={asked}>{(orders) => <Chains network={network} orders={orders} name={name} />}</Shown>
      )}
    </article>
  );
}

interface ChainsProps {
  readonly network: Network;
  readonly orders: Orders;
  readonly name: ViewName;
}

/** Of each chain that has the contract. */
function Chains({ network, orders: { governance }, name }: ChainsProps) {
  const { contract, sections } = views[name];
  const judgedAt = governedHeight(governance);
  const chains = governance.chains.filter(({ chain: { service } }) =>
    contractsAt(governance.contracts, { service, height: HEIGHT_MAX, judgedAt }).some(
      ({ install }) => install.name === contract,
    ),
  );
  if (chains.length === 0) return <p>{text("view.none", { contract })}</p>;
  return (
    <>
      {chains.flatMap(({ chain }) =>
        sections.map((section) => (
          <SectionView
            key={`${name} ${chain.service} ${section.title}`}
            section={section}
            of={{ network, service: chain.service, contract, prefix: section.prefix }}
            chain={chain.name}
          />
        )),
      )}
      <p class="quiet">
        {chains.map(({ chain }) => (
          <a key={chain.service} class="anchor" href={`#/state/${chain.service}/${contract}`}>
            {text("view.all", { contract, chain: chain.name })}
          </a>
        ))}
      </p>
    </>
  );
}

interface SectionProps {
  readonly section: Section;
  readonly of: AskedState;
  readonly chain: string;
}

function SectionView({ section, of, chain }: SectionProps) {
  const [entries, setEntries] = useState<readonly Entry[]>([]);
  const [after, setAfter] = useState<string | undefined>(undefined);
  const asked = useAsked(async () => {
    const answer = await tellEntries(of, { after, limit: ENTRIES });
    setEntries((known) => [...known, ...answer.entries]);
    return answer;
  }, [after]);
  const title = `${text(section.title)} · ${chain}`;
  return (
    <section>
      <h2>{title}</h2>
      {section.curves !== undefined && <CurvesChart curves={section.curves(entries.map(toldValue))} />}
      <Table caption={title} heads={[...section.heads, "state.proved"]}>
        {entries.map((entry) => (
          <EntryRows key={entry.key} entry={entry} section={section} of={of} />
        ))}
      </Table>
      <Shown asked={asked}>
        {({ hasMore, height }) => (
          <p class="quiet">
            {entries.length === 0 && text("app.nothing")} {text("state.after", { height })}{" "}
            {hasMore && (
              <button type="button" onClick={() => setAfter(entries.at(-1)?.key)}>
                {text("app.more")}
              </button>
            )}
          </p>
        )}
      </Shown>
    </section>
  );
}

/** As the node tells it: each row below has its proof. */
function toldValue({ key, value }: Entry) {
  return { key, value: valueFromJson(value, key) };
}

function EntryRows({
  entry,
  section,
  of,
}: {
  readonly entry: Entry;
  readonly section: Section;
  readonly of: AskedState;
}) {
  const proved = useProved(entry, of);
  const value = "value" in proved ? proved.value : entry.value;
  const viewed = { key: entry.key, value: valueFromJson(value ?? null, entry.key), service: of.service };
  return (
    <>
      {rowsOf(section, viewed).map((cells, row) => (
        <tr key={`${entry.key} ${row}`} data-key={entry.key} data-state={proved.state}>
          {cells.map((cell, column) => (
            <td key={section.heads[column]} data-head={text(section.heads[column]!)}>
              <CellView cell={cell} />
            </td>
          ))}
          <td>
            <Mark state={proved.state} /> {proved.reason}
          </td>
        </tr>
      ))}
    </>
  );
}

function CellView({ cell }: { readonly cell: Cell }) {
  if (typeof cell === "string") return <>{cell}</>;
  if ("at_s" in cell) return <Time at_ms={cell.at_s * 1_000} />;
  return <a href={cell.href}>{cell.text}</a>;
}
