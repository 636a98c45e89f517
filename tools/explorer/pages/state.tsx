// What a contract remembers, key by key, as the node tells it, and each value held against its proof. What the grid's operator, the
// subjects of ratings and those who ask for access want to see is the state of a contract.

import { useState } from "preact/hooks";
import { HEIGHT_MAX } from "../../../src/wire/bounds.js";
import { contractsAt } from "../../ledger/contract-orders.js";
import { governedHeight } from "../../ledger/governance.js";
import type { Network } from "../network/network.js";
import { readOrders } from "../network/orders.js";
import { type AskedState, type Entry, tellEntries } from "../network/proved-state.js";
import { Shown, useAsked } from "../parts/asked.js";
import { Mark } from "../parts/mark.js";
import { useProved } from "../parts/proved.js";
import { Table } from "../parts/table.js";
import { numberOf } from "../route.js";
import { text } from "../texts.js";
import type { PageProps } from "./page-props.js";

const ROWS = 50;

export function StatePage({ network, place }: PageProps) {
  const [service, contract, ...prefix] = place.parts;
  const chain = numberOf(service);
  const isNamed = chain !== undefined && contract !== undefined;
  return (
    <article>
      <h1>{isNamed ? text("state.title", { contract, service: chain }) : text("page.state")}</h1>
      {isNamed ? (
        <Entries key={location.hash} of={{ network, service: chain, contract, prefix: prefix.join("/") }} />
      ) : (
        <Contracts network={network} />
      )}
    </article>
  );
}

function Contracts({ network }: { readonly network: Network }) {
  const asked = useAsked(() => readOrders(network.genesis), [network]);
  return (
    <Shown asked={asked}>
      {({ governance }) => {
        const judgedAt = governedHeight(governance);
        const rows = governance.chains.flatMap(({ chain: { service, name } }) =>
          contractsAt(governance.contracts, { service, height: HEIGHT_MAX, judgedAt }).map(({ install }) => ({
            ...{ service, name, contract: install.name },
          })),
        );
        return (
          <section>
            <p class="quiet">{text("state.which")}</p>
            {rows.length === 0 && <p>{text("app.nothing")}</p>}
            <ul>
              {rows.map(({ service, name, contract }) => (
                <li key={`${service}/${contract}`}>
                  <a href={`#/state/${service}/${contract}`}>
                    {contract} · {name}
                  </a>
                </li>
              ))}
            </ul>
          </section>
        );
      }}
    </Shown>
  );
}

function Entries({ of }: { readonly of: AskedState }) {
  const { service, contract, prefix } = of;
  const [rows, setRows] = useState<readonly Entry[]>([]);
  const [after, setAfter] = useState<string | undefined>(undefined);
  const asked = useAsked(async () => {
    const answer = await tellEntries(of, { after, limit: ROWS });
    setRows((known) => [...known, ...answer.entries]);
    return answer;
  }, [after]);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const wanted = String(new FormData(event.currentTarget as HTMLFormElement).get("prefix") ?? "");
    location.hash = `#/state/${service}/${contract}/${wanted.split("/").map(encodeURIComponent).join("/")}`;
  };
  return (
    <section>
      <form class="filter" onSubmit={submit}>
        <label>
          {text("state.prefix")} <input name="prefix" defaultValue={prefix} />
        </label>
        <button type="submit">{text("app.search")}</button>
      </form>
      <Table caption={text("page.state")} heads={["state.key", "state.value", "state.proved"]}>
        {rows.map((entry) => (
          <EntryRow key={entry.key} entry={entry} of={of} />
        ))}
      </Table>
      <Shown asked={asked}>
        {({ height, hasMore, entries }) => (
          <p class="quiet">
            {rows.length === 0 && entries.length === 0 && text("app.nothing")} {text("state.after", { height })}{" "}
            {hasMore && (
              <button type="button" onClick={() => setAfter(rows.at(-1)?.key)}>
                {text("app.more")}
              </button>
            )}
          </p>
        )}
      </Shown>
    </section>
  );
}

function EntryRow({ entry, of }: { readonly entry: Entry; readonly of: AskedState }) {
  const proved = useProved(entry, of);
  const shown = "value" in proved ? proved.value : entry.value;
  return (
    <tr data-key={entry.key} data-state={proved.state}>
      <td>
        <code>{entry.key}</code>
      </td>
      <td>
        <pre>{JSON.stringify(shown)}</pre>
      </td>
      <td>
        <Mark state={proved.state} /> {proved.reason}
      </td>
    </tr>
  );
}
