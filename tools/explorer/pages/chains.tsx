// All chains at a glance: what waits, the newest blocks as they are sealed, and what this browser has proved of each.

import type { LiveBlock, LiveState, Strip } from "../live/strips.js";
import { Mark } from "../parts/mark.js";
import { numberText, text } from "../texts.js";

export function ChainsPage({ live }: { readonly live: LiveState }) {
  const { strips, verified, wrong } = live;
  const sum = (of: (strip: Strip) => number) => strips.reduce((total, strip) => total + of(strip), 0);
  return (
    <>
      <dl class="figures">
        <Figure name={text("chains.sealedRecords")} value={sum(({ records }) => records)} state="told" />
        <Figure name={text("chains.blocks")} value={sum(({ height }) => height)} state="told" />
        <Figure name={text("chains.checked")} value={verified} state="verified" />
        {wrong > 0 && <Figure name={text("chains.wrong")} value={wrong} state="wrong" />}
        <Figure name={text("chains.found")} value={sum(({ violations }) => violations)} state="told" />
      </dl>
      {strips.map((strip) => (
        <StripRow key={strip.service} strip={strip} />
      ))}
    </>
  );
}

function Figure({
  name,
  value,
  state,
}: {
  readonly name: string;
  readonly value: number;
  readonly state: "told" | "verified" | "wrong";
}) {
  return (
    <div class="figure">
      <dt>{name}</dt>
      <dd>
        {numberText(value)} <Mark state={state} short />
      </dd>
    </div>
  );
}

function StripRow({ strip }: { readonly strip: Strip }) {
  const { name, height, pending, records, violations } = strip;
  return (
    <section class="strip" aria-label={name}>
      <header>
        <h2>{name}</h2>
        <p class="quiet">
          {text("chains.height", { height })} · {text("chains.records", { count: records })}
          {violations > 0 && <span>{` · ${text("chains.violations", { count: violations })}`}</span>}{" "}
          <Mark state="told" short />
        </p>
      </header>
      <ol class="blocks">
        <li class={`block forming ${pending > 0 ? "busy" : ""}`}>
          <span>{text("chains.forming", { count: pending })}</span>
        </li>
        {strip.blocks.map((block) => (
          <BlockTile key={block.height} strip={strip} block={block} />
        ))}
      </ol>
    </section>
  );
}

function BlockTile({ strip, block }: { readonly strip: Strip; readonly block: LiveBlock }) {
  const { height, records, state, found, reason } = block;
  const label = text("chains.block", { height, chain: strip.name, records, state: text(`mark.${state}`) });
  return (
    <li class={`block ${state}`}>
      <a class="tile" href={`#/chains/${strip.service}/blocks/${height}`} aria-label={label} title={reason ?? label}>
        <b>{numberText(height)}</b>
        <span>{numberText(records)}</span>
        <Mark state={state} short />
        {found > 0 && <span class="found">! {found}</span>}
      </a>
    </li>
  );
}
