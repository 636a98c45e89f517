// What sealed blocks say against meters, participants and nodes, as a work queue: the newest first, filtered, with those that come while
// the page is open. One by itself is held against the block that says it.

import { useState } from "preact/hooks";
import {
  type HiddenViolations,
  type ViolationItem,
  violation as violationShape,
  violations,
} from "../../routes/violations.js";
import { askValue, Refusal } from "../network/ask.js";
import type { Network } from "../network/network.js";
import { Shown, useAsked } from "../parts/asked.js";
import { Pair, Time } from "../parts/figures.js";
import { Findings, useFindings } from "../parts/findings.js";
import { Mark } from "../parts/mark.js";
import { Table } from "../parts/table.js";
import { pairsOf } from "../route.js";
import { isTextKey, text } from "../texts.js";
import { findingsOf } from "../verification/finding.js";
import { type ViolationQuestion, violationChecks } from "../verification/violation-checks.js";
import type { PageProps } from "./page-props.js";

const kinds = ["gap", "fork", "link", "equivocation", "falseAcknowledgement", "contract"] as const;
const states = ["open", "acknowledged", "contested", "upheld", "lifted", "lapsed"] as const;
/** Refusals that say who is shown a violation, or where one is: nothing has failed. */
const notShown: readonly string[] = ["forbidden", "unauthorized", "unknown-violation"];
const fields = ["kind", "state", "subject", "rule", "service"] as const;
type Filter = Readonly<Partial<Record<(typeof fields)[number], string>>>;
/** A node that keeps the life cycle of violations says their state. */
type Stated = ViolationItem & { readonly state?: unknown };

export function ViolationsPage({ network, place, live }: PageProps) {
  if (place.parts.length === 1) return <OneViolation network={network} name={place.parts[0]!} />;
  return <Queue key={location.hash} network={network} filter={pairsOf(place)} live={live} />;
}

interface QueueProps {
  readonly network: Network;
  readonly filter: Filter;
  readonly live: PageProps["live"];
}

function Queue({ network, filter, live }: QueueProps) {
  const [pages, setPages] = useState<readonly ViolationItem[]>([]);
  const [after, setAfter] = useState<string | null | undefined>(undefined);
  const asked = useAsked(async () => {
    const { state: _, service, ...others } = filter;
    const query = { ...others, ...(service !== undefined && { service: Number(service) }), limit: 100 };
    const page = await askValue(violations, { parameters: {}, query: { ...query, ...(after && { after }) } });
    setPages((known) => [...known, ...page.violations]);
    return page;
  }, [after]);
  const known = new Set(pages.map(({ id }) => id));
  const fresh = live.violations.filter((one) => !known.has(one.id) && obeys(one, filter));
  const rows = [...fresh, ...pages].filter((one) => filter.state === undefined || stateOf(one) === filter.state);
  const next = asked.type === "here" ? asked.value.next : null;
  return (
    <article>
      <h1>{text("page.violations")}</h1>
      <FilterForm filter={filter} />
      <section>
        <Table
          caption={text("violations.caption")}
          heads={["violations.when", "violations.kind", "violations.whom", "violations.rule", "violations.where"]}
        >
          {rows.map((one) => (
            <Row key={one.id} item={one} network={network} isFresh={fresh.includes(one)} />
          ))}
        </Table>
        <Shown asked={asked}>
          {({ isComplete, hidden }) => (
            <>
              {hidden.map((chain) => (
                <Hidden key={chain.service} chain={chain} />
              ))}
              {rows.length === 0 && <p>{text("violations.none")}</p>}
              {!isComplete && <p class="quiet">{text("violations.incomplete")}</p>}
            </>
          )}
        </Shown>
        {next !== null && (
          <button type="button" onClick={() => setAfter(next)}>
            {text("app.more")}
          </button>
        )}
      </section>
    </article>
  );
}

/** What a chain's policy keeps from the reader: how much, and who may see it. */
function Hidden({ chain: { service, violations: count, readers } }: { readonly chain: HiddenViolations }) {
  return (
    <p class="quiet" data-hidden={service}>
      {text("violations.hidden", { chain: service, count, who: ["node", ...readers].join(", ") })}
    </p>
  );
}

function obeys(item: ViolationItem, { kind, subject, rule, service }: Filter): boolean {
  return (
    (kind === undefined || item.kind === kind) &&
    (subject === undefined || item.subject === subject) &&
    (service === undefined || String(item.service) === service) &&
    (rule === undefined || item.rule === rule || item.rule?.startsWith(`${rule}/`) === true)
  );
}

function stateOf(item: Stated): string | undefined {
  return typeof item.state === "string" ? item.state : undefined;
}

function Row({
  item,
  network,
  isFresh,
}: {
  readonly item: ViolationItem;
  readonly network: Network;
  readonly isFresh: boolean;
}) {
  const { id, service, height, time_ms, kind, subject, number, rule } = item;
  return (
    <tr class={isFresh ? "fresh" : ""} data-violation={id}>
      <td>
        <a href={`#/violations/${id}`}>
          <Time at_ms={time_ms} />
        </a>
      </td>
      <td>
        {text(`violation.${kind}`)}
        {number !== null && ` #${number}`} <StateText item={item} />
      </td>
      <td>
        <a href={`#/search/${subject}`}>
          <code>{network.nameOf(subject)}</code>
        </a>
      </td>
      <td>{rule ?? "–"}</td>
      <td>
        <a href={`#/chains/${service}/blocks/${height}`}>
          {service}:{height}
        </a>{" "}
        <Mark state="told" short />
      </td>
    </tr>
  );
}

function StateText({ item }: { readonly item: Stated }) {
  const state = stateOf(item);
  if (state === undefined) return null;
  const key = `violationState.${state}`;
  return <span class={`state ${state}`}>{isTextKey(key) ? text(key) : state}</span>;
}

function FilterForm({ filter }: { readonly filter: Filter }) {
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const set = fields.flatMap((name) => {
      const value = String(form.get(name) ?? "").trim();
      return value === "" ? [] : [name, encodeURIComponent(value)];
    });
    location.hash = ["#/violations", ...set].join("/");
  };
  return (
    <form class="filter" onSubmit={submit}>
      <Choice name="kind" label={text("violations.kind")} value={filter.kind} of={kinds} prefix="violation" />
      <Choice name="state" label={text("violations.state")} value={filter.state} of={states} prefix="violationState" />
      <label>
        {text("violations.whom")} <input name="subject" defaultValue={filter.subject ?? ""} pattern="[0-9a-f]{16}" />
      </label>
      <label>
        {text("violations.rule")} <input name="rule" defaultValue={filter.rule ?? ""} />
      </label>
      <label>
        {text("violations.chain")}{" "}
        <input name="service" defaultValue={filter.service ?? ""} inputmode="numeric" pattern="\d{1,5}" />
      </label>
      <button type="submit">{text("app.search")}</button>
    </form>
  );
}

interface ChoiceProps {
  readonly name: string;
  readonly label: string;
  readonly value: string | undefined;
  readonly of: readonly string[];
  readonly prefix: string;
}

function Choice({ name, label, value, of, prefix }: ChoiceProps) {
  return (
    <label>
      {label}{" "}
      <select name={name}>
        <option value="">{text("violations.any")}</option>
        {of.map((one) => {
          const key = `${prefix}.${one}`;
          return (
            <option key={one} value={one} selected={one === value}>
              {isTextKey(key) ? text(key) : one}
            </option>
          );
        })}
      </select>
    </label>
  );
}

function OneViolation({ network, name }: { readonly network: Network; readonly name: string }) {
  const asked = useAsked(async (): Promise<ViolationQuestion> => {
    const told = await askValue(violationShape, { parameters: { name } });
    return { ...(await network.question(told.service, told.height)), told };
  }, [network, name]);
  const refusal = asked.type === "failed" && asked.error instanceof Refusal ? asked.error : undefined;
  const isHidden = refusal !== undefined && notShown.includes(refusal.code);
  return (
    <article>
      <h1>{text("violations.one", { name })}</h1>
      {isHidden ? (
        <p class="quiet" data-hidden={name}>
          {text("violations.notShown", { reason: refusal.message })} {refusal.remedy}
        </p>
      ) : (
        <Shown asked={asked}>{(question) => <Proved question={question} network={network} />}</Shown>
      )}
    </article>
  );
}

function Proved({ question, network }: { readonly question: ViolationQuestion; readonly network: Network }) {
  const found = useFindings(() => findingsOf(violationChecks, question), [question]);
  const { told } = question;
  return (
    <>
      <section>
        <h2>{text("block.checks")}</h2>
        <Findings found={found} awaited={violationChecks.length} />
      </section>
      <section>
        <h2>{text(`violation.${told.kind}`)}</h2>
        <dl class="pairs">
          <Pair name={text("violations.when")}>
            <Time at_ms={told.time_ms} />
          </Pair>
          <Pair name={text("violations.whom")}>
            <a href={`#/search/${told.subject}`}>
              <code>{network.nameOf(told.subject)}</code>
            </a>
          </Pair>
          {told.number !== null && <Pair name={text("violations.number")}>{told.number}</Pair>}
          {told.rule !== null && <Pair name={text("violations.rule")}>{told.rule}</Pair>}
          {told.entry !== null && <Pair name={text("violations.entry")}>{told.entry}</Pair>}
          <Pair name={text("violations.where")}>
            <a href={`#/chains/${told.service}/blocks/${told.height}`}>
              {told.service}:{told.height}
            </a>
          </Pair>
          <Pair name={text("violations.detail")}>
            <pre>{JSON.stringify(told.detail, undefined, 2)}</pre>
          </Pair>
        </dl>
      </section>
    </>
  );
}
