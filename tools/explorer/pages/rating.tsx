// One participant's rating: its grade and indicators, computed again here from proved facts, each with the block that it is sealed in.

import { WireError } from "../../../src/wire/error.js";
import { decodeValue, type Value } from "../../../src/wire/value.js";
import { reasonOf } from "../../errors.js";
import type { Facts } from "../../market/credit/rating.js";
import type { Network } from "../network/network.js";
import { proofOf } from "../network/proved-state.js";
import { Alert } from "../parts/alert.js";
import { Shown, useAsked } from "../parts/asked.js";
import { Pair, Time } from "../parts/figures.js";
import { Mark } from "../parts/mark.js";
import { Table } from "../parts/table.js";
import { text } from "../texts.js";
import { factRows, type KeptRating, monthsOf, recomputeRating } from "../verification/rating.js";
import type { Recomputed } from "../verification/recompute.js";

const CONTRACT = "credit";
/** While facts are proved one by one a block may bring others. */
const TRIES = 3;
/** Of a month in a key (tools/market/credit/ledger.ts). */
const MONTH_DIGITS = 5;

interface RatingProps {
  readonly network: Network;
  readonly service: number;
  readonly participant: string;
}

interface Rated {
  readonly kept: KeptRating | undefined;
  readonly facts: ReadonlyMap<number, Facts>;
  readonly computed: Recomputed;
}

export function RatingView(props: RatingProps) {
  const asked = useAsked(() => readRating(props), [props.network, props.service, props.participant]);
  return (
    <Shown asked={asked}>
      {({ kept, facts, computed }) =>
        kept === undefined ? <p>{text("rating.none")}</p> : <Rating kept={kept} facts={facts} computed={computed} />
      }
    </Shown>
  );
}

/** Proved key by key: months without facts are proved to have none. */
async function readRating({ network, service, participant }: RatingProps): Promise<Rated> {
  const of = { network, service, contract: CONTRACT, prefix: "" };
  const valueAt = async (key: string): Promise<Value | undefined> => {
    const { value } = await proofOf(key, of);
    return value === undefined ? undefined : decodeValue(value);
  };
  let found: Rated = { kept: undefined, facts: new Map(), computed: { state: "open" } };
  for (let tries = 0; tries < TRIES; tries += 1) {
    const kept = (await valueAt(`rating/${participant}`)) as unknown as KeptRating | undefined;
    if (kept === undefined) return found;
    const facts = new Map<number, Facts>();
    for (const month of monthsOf(kept)) {
      const value = await valueAt(`facts/${participant}/${String(month).padStart(MONTH_DIGITS, "0")}`);
      if (value !== undefined) facts.set(month, value as unknown as Facts);
    }
    found = { kept, facts, computed: computedFrom(kept, facts) };
    if (found.computed.state === "verified") return found;
  }
  return found;
}

/** What another contract of this name keeps may have another shape. */
function computedFrom(kept: KeptRating, facts: ReadonlyMap<number, Facts>): Recomputed {
  try {
    return recomputeRating(kept, facts);
  } catch (error) {
    if (error instanceof WireError) throw error;
    return { state: "sealed", reason: reasonOf(error) };
  }
}

function Rating({ kept, facts, computed }: { readonly kept: KeptRating } & Omit<Rated, "kept">) {
  return (
    <>
      <section data-state={computed.state}>
        {computed.state === "wrong" && <Alert isWrong>{computed.reason}</Alert>}
        <dl class="pairs">
          <Pair name={text("view.grade")}>
            <b>{kept.grade}</b> <Mark state={computed.state} />
          </Pair>
          <Pair name={text("view.score")}>
            {kept.score} <Mark state={computed.state} short />
          </Pair>
          <Pair name={text("view.rated")}>
            <Time at_ms={kept.time_s * 1_000} />
          </Pair>
        </dl>
        <Table
          caption={text("view.indicators")}
          heads={["rating.indicator", "rating.value", "rating.weight", "rating.inputs"]}
        >
          {kept.indicators.map(({ name, value, weight, inputs }) => (
            <tr key={name}>
              <td>{name}</td>
              <td class="number">{value ?? "–"}</td>
              <td class="number">{weight}</td>
              <td>
                {Object.entries(inputs)
                  .map(([input, amount]) => `${input} ${amount}`)
                  .join(", ")}
              </td>
            </tr>
          ))}
        </Table>
      </section>
      <section>
        <h2>{text("rating.facts")}</h2>
        <Table caption={text("rating.facts")} heads={["rating.month", "rating.fact", "view.block"]}>
          {factRows(facts).map(({ month, what, evidence: [service, height] }, index) => (
            <tr key={`${month} ${what} ${index}`}>
              <td>{monthText(month)}</td>
              <td>{what}</td>
              <td>
                <a href={`#/chains/${service}/blocks/${height}`}>
                  {service}:{height}
                </a>
              </td>
            </tr>
          ))}
        </Table>
      </section>
    </>
  );
}

/** Months count from 1970. */
function monthText(month: number): string {
  return new Date(Date.UTC(1_970, month)).toISOString().slice(0, 7);
}
