// What the node says of itself: nothing of it can be proved from here.

import { useEffect, useState } from "preact/hooks";
import { health as healthShape } from "../../routes/health.js";
import { askValue } from "../network/ask.js";
import { Shown, useAsked } from "../parts/asked.js";
import { Pair, Time } from "../parts/figures.js";
import { Mark } from "../parts/mark.js";
import { Table } from "../parts/table.js";
import { numberText, text } from "../texts.js";

const AGAIN_MS = 5_000;

export function HealthPage() {
  const [times, setTimes] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setTimes((count) => count + 1), AGAIN_MS);
    return () => clearInterval(timer);
  }, []);
  const asked = useAsked(() => askValue(healthShape, { parameters: {} }), [times], true);
  return (
    <article>
      <h1>{text("page.health")}</h1>
      <Shown asked={asked}>
        {(health) => (
          <>
            <section>
              <p class={`verdict ${health.status}`}>
                {text(`health.${health.status}`)} <Mark state="told" />
              </p>
              <dl class="pairs">
                <Pair name={text("health.node")}>{health.node}</Pair>
                {health.releaseId !== undefined && <Pair name={text("health.version")}>{health.releaseId}</Pair>}
                <Pair name={text("health.peers")}>{health.peers}</Pair>
              </dl>
              <ul>
                {Object.entries(health.checks).flatMap(([name, found]) =>
                  found.map(({ componentId, status, output }) => (
                    <li key={`${name} ${componentId} ${output}`} class={status}>
                      <b>
                        {name} {componentId}
                      </b>{" "}
                      {output}
                    </li>
                  )),
                )}
              </ul>
            </section>
            <section>
              <Table
                caption={text("page.chains")}
                heads={["health.chain", "health.height", "health.waiting", "health.newest"]}
              >
                {health.chains.map(({ service, name, height, pending, time_ms }) => (
                  <tr key={service}>
                    <td>{name}</td>
                    <td>
                      <a href={`#/chains/${service}/blocks/${height}`}>{numberText(height)}</a>
                    </td>
                    <td>{numberText(pending)}</td>
                    <td>{time_ms === null ? "–" : <Time at_ms={time_ms} />}</td>
                  </tr>
                ))}
              </Table>
            </section>
          </>
        )}
      </Shown>
    </article>
  );
}
