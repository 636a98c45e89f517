// What a contract remembers, key by key, as the node tells it, and each value held against its proof. What the grid's operator, the
// subjects of ratings and those who ask for access want to see is the state of a contract.

import { useEffect, useState } from "preact/hooks";
import { HEIGHT_MAX } from "../../../src/wire/bounds.js";
import { WireError } from "../../../src/wire/error.js";
import { STATE_PROOF_BYTES_MAX } from "../../../src/wire/receipt.js";
import { type AskedProof, isProvedValue, provedBy } from "../../contracts/told-state.js";
import { reasonOf } from "../../errors.js";
import { contractsAt } from "../../ledger/contract-orders.js";
import { governedHeight } from "../../ledger/governance.js";
import { type StateAnswer, stateProof, state as stateShape } from "../../routes/state.js";
import { askBytes, askValue } from "../network/ask.js";
import type { Network } from "../network/network.js";
import { readOrders } from "../network/orders.js";
import { Shown, useAsked } from "../parts/asked.js";
import { Mark } from "../parts/mark.js";
import { Table } from "../parts/table.js";
import { numberOf } from "../route.js";
import { text } from "../texts.js";
import type { FindingState } from "../verification/finding.js";
import { browserVerify } from "../verification/signatures.js";
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

interface Asked {
  readonly network: Network;
  readonly service: number;
  readonly contract: string;
  readonly prefix: string;
}

type Entry = StateAnswer["entries"][number];

function Entries({ of }: { readonly of: Asked }) {
  const { service, contract, prefix } = of;
  const [rows, setRows] = useState<readonly Entry[]>([]);
  const [after, setAfter] = useState<string | undefined>(undefined);
  const asked = useAsked(async () => {
    const query = { prefix, limit: ROWS, ...(after !== undefined && { after }) };
    const answer = await askValue(stateShape, { parameters: { service, contract }, query });
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

interface Proved {
  readonly state: FindingState;
  readonly reason?: string;
  /** as it is now, where it has changed since it was told */
  readonly value?: unknown;
}

function EntryRow({ entry, of }: { readonly entry: Entry; readonly of: Asked }) {
  const [proved, setProved] = useState<Proved>({ state: "open" });
  useEffect(() => {
    let isWanted = true;
    inTurn(() => (isWanted ? prove(entry, of) : Promise.resolve<Proved>({ state: "open" }))).then(
      (found) => isWanted && setProved(found),
    );
    return () => {
      isWanted = false;
    };
  }, [entry.key]);
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

/** One proof at a time: each costs the node as much as four plain questions. */
let last: Promise<unknown> = Promise.resolve();
function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
  const turn = last.then(work);
  last = turn.catch(() => undefined);
  return turn;
}

/** A value may change between two questions: what differs is asked for again before it is called wrong. */
async function prove(told: Entry, of: Asked): Promise<Proved> {
  try {
    if (isProvedValue(await proofOf(told.key, of), told.value)) return { state: "verified" };
    const { service, contract } = of;
    const query = { prefix: told.key, limit: 1 };
    const { entries } = await askValue(stateShape, { parameters: { service, contract }, query });
    const again = entries.find(({ key }) => key === told.key);
    const proof = await proofOf(told.key, of);
    if (isProvedValue(proof, again?.value)) return { state: "verified", value: again?.value ?? null };
    return { state: "wrong", reason: text("state.wrong") };
  } catch (error) {
    return { state: error instanceof WireError ? "wrong" : "open", reason: reasonOf(error) };
  }
}

async function proofOf(key: string, { network, service, contract }: Asked) {
  const bytes = await askBytes(stateProof, { parameters: { service, contract }, query: { key } });
  if (bytes.length > STATE_PROOF_BYTES_MAX) throw new WireError("limit", "the proof is longer than any");
  const lineage = await network.lineage(service);
  const asked: AskedProof = { genesis: network.genesis, verify: browserVerify, lineage, service, contract, key };
  return provedBy(bytes, asked);
}
