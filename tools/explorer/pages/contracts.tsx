// The contracts of all chains: which are in force at a height, their parameters, their source. All of it follows from the authority's
// orders, which are verified here.

import { HEIGHT_MAX } from "../../../src/wire/bounds.js";
import { toHex } from "../../../src/wire/bytes.js";
import { type ContractInForce, contractsAt } from "../../ledger/contract-orders.js";
import { type Governance, governedHeight } from "../../ledger/governance.js";
import { type Orders, readOrders } from "../network/orders.js";
import { Alert } from "../parts/alert.js";
import { Shown, useAsked } from "../parts/asked.js";
import { Hash, Pair } from "../parts/figures.js";
import { Mark } from "../parts/mark.js";
import { Table } from "../parts/table.js";
import { numberOf } from "../route.js";
import { text } from "../texts.js";
import type { PageProps } from "./page-props.js";

export function ContractsPage({ network, place }: PageProps) {
  const asked = useAsked(() => readOrders(network.genesis), [network]);
  const [service, name, height] = [numberOf(place.parts[0]), place.parts[1], numberOf(place.parts[2])];
  return (
    <article>
      <h1>{text("page.contracts")}</h1>
      <Shown asked={asked}>
        {(orders) =>
          service === undefined || name === undefined ? (
            <ContractList orders={orders} />
          ) : (
            <OneContract governance={orders.governance} place={{ service, name, height }} />
          )
        }
      </Shown>
    </article>
  );
}

function ContractList({ orders: { governance, wrong } }: { readonly orders: Orders }) {
  const judgedAt = governedHeight(governance);
  const rows = governance.chains.flatMap(({ chain }) =>
    contractsAt(governance.contracts, { service: chain.service, height: HEIGHT_MAX, judgedAt }).map((contract) => ({
      chain: chain.name,
      ...contract,
    })),
  );
  return (
    <section>
      {wrong !== undefined && <Alert isWrong>{wrong}</Alert>}
      {rows.length === 0 && <p>{text("app.nothing")}</p>}
      <Table
        caption={text("page.contracts")}
        heads={["health.chain", "contracts.name", "contracts.version", "contracts.from", "contracts.types"]}
      >
        {rows.map(({ chain, install }) => (
          <tr key={`${install.service}/${install.name}`}>
            <td>{chain}</td>
            <td>
              <a href={`#/contracts/${install.service}/${install.name}`}>{install.name}</a>{" "}
              <Mark state="verified" short />
            </td>
            <td>{install.version}</td>
            <td>{install.fromHeight}</td>
            <td>{install.types.join(" ") || "–"}</td>
          </tr>
        ))}
      </Table>
    </section>
  );
}

interface OneProps {
  readonly governance: Governance;
  readonly place: { readonly service: number; readonly name: string; readonly height: number | undefined };
}

function OneContract({ governance, place: { service, name, height } }: OneProps) {
  const at = { service, height: height ?? HEIGHT_MAX, judgedAt: governedHeight(governance) };
  const found = contractsAt(governance.contracts, at).find(({ install }) => install.name === name);
  const path = `#/contracts/${service}/${name}`;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const wanted = String(new FormData(event.currentTarget as HTMLFormElement).get("height") ?? "");
    const isReplay = (event.submitter as HTMLButtonElement | null)?.value === "replay";
    if (isReplay && wanted !== "") location.hash = `#/replay/${service}/${wanted}`;
    else location.hash = wanted === "" ? path : `${path}/${wanted}`;
  };
  return (
    <>
      <form class="filter" onSubmit={submit}>
        <label>
          {text("contracts.atHeight")}{" "}
          <input name="height" defaultValue={height ?? ""} inputmode="numeric" pattern="[0-9]{0,12}" />
        </label>
        <button type="submit">{text("contracts.look")}</button>
        <button type="submit" value="replay">
          {text("contracts.replay")}
        </button>
        <a href={`#/state/${service}/${name}`}>{text("contracts.state")}</a>
      </form>
      {found === undefined ? (
        <p>{text("contracts.none", { name, service })}</p>
      ) : (
        <ContractView contract={found} governance={governance} />
      )}
    </>
  );
}

function ContractView({
  contract: { install, parameters },
  governance,
}: {
  readonly contract: ContractInForce;
  readonly governance: Governance;
}) {
  const source = governance.contracts.sources.get(toHex(install.source));
  return (
    <>
      <section>
        <h2>
          {install.name} {install.version} <Mark state="verified" />
        </h2>
        <dl class="pairs">
          <Pair name={text("contracts.from")}>{install.fromHeight}</Pair>
          <Pair name={text("contracts.source")}>
            <Hash hex={toHex(install.source)} />
          </Pair>
          <Pair name={text("contracts.engine")}>
            <Hash hex={toHex(install.engine)} />
          </Pair>
          <Pair name={text("contracts.vectors")}>
            <Hash hex={toHex(install.vectors)} />
          </Pair>
          <Pair name={text("contracts.limits")}>
            {text("contracts.limit", { budget: install.budget, pages: install.pages, output: install.output })}
          </Pair>
          <Pair name={text("contracts.types")}>{install.types.join(" ") || "–"}</Pair>
          {install.messages.length > 0 && (
            <Pair name={text("contracts.messages")}>
              {install.messages.map(({ service, name }) => `${service === 0 ? "*" : service}/${name}`).join(" ")}
            </Pair>
          )}
          <Pair name={text("contracts.tried")}>{install.ready.length}</Pair>
        </dl>
      </section>
      {parameters.map((set) => (
        <section key={set.jurisdiction ?? ""}>
          <h2>{text("contracts.parameters", { where: set.jurisdiction ?? text("contracts.everywhere") })}</h2>
          <dl class="pairs">
            {[...set.parameters].map(([key, value]) => (
              <Pair key={key} name={key}>
                {String(value)}
              </Pair>
            ))}
          </dl>
        </section>
      ))}
      {source !== undefined && (
        <section>
          <h2>
            {text("contracts.source")} <Mark state="verified" />
          </h2>
          <pre class="source">{source}</pre>
        </section>
      )}
    </>
  );
}
