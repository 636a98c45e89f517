// One block: what this browser has checked of it, then what stands in it.

import { type Block, slotsIn } from "../../../src/wire/block.js";
import { toHex } from "../../../src/wire/bytes.js";
import { entryText } from "../../../src/wire/entry.js";
import { decodeHeader, headerHash } from "../../../src/wire/header.js";
import { outcomesIn } from "../../../src/wire/outcome.js";
import type { Strip } from "../live/strips.js";
import type { Network } from "../network/network.js";
import { Shown, useAsked } from "../parts/asked.js";
import { Hash, Pair, Time } from "../parts/figures.js";
import { Findings, useFindings } from "../parts/findings.js";
import { Mark } from "../parts/mark.js";
import { RecordRow } from "../parts/record-row.js";
import { text } from "../texts.js";
import { type BlockQuestion, blockIn, contentChecks, sealChecks } from "../verification/block-checks.js";
import { findingsOf, stateOf } from "../verification/finding.js";

const CHECKS = sealChecks.length + contentChecks.length;
/** A record ends with its signature, of which no two have the same end. */
const SIGNATURE_END_BYTES = 16;

interface BlockPageProps {
  readonly network: Network;
  readonly service: number;
  readonly height: number;
  readonly strips: readonly Strip[];
}

export function BlockPage({ network, service, height, strips }: BlockPageProps) {
  const asked = useAsked(() => network.question(service, height), [network, service, height]);
  const chain = strips.find((strip) => strip.service === service);
  const path = `#/chains/${service}/blocks`;
  return (
    <article>
      <h1>{text("block.title", { height, chain: chain?.name ?? String(service) })}</h1>
      <nav class="steps" aria-label={text("block.title", { height, chain: chain?.name ?? String(service) })}>
        {height > 1 && <a href={`${path}/${height - 1}`}>← {text("block.before")}</a>}
        {height < (chain?.height ?? 0) && <a href={`${path}/${height + 1}`}>{text("block.after")} →</a>}
      </nav>
      <Shown asked={asked}>{(question) => <Checked question={question} network={network} />}</Shown>
    </article>
  );
}

function Checked({ question, network }: { readonly question: BlockQuestion; readonly network: Network }) {
  const found = useFindings(() => findingsOf([...sealChecks, ...contentChecks], question), [question]);
  const { findings } = found;
  const isReadable = findings[0]?.state === "verified";
  const sealed = stateOf(findings.slice(0, sealChecks.length));
  return (
    <>
      <section>
        <h2>{text("block.checks")}</h2>
        <Findings found={found} awaited={CHECKS} />
      </section>
      {isReadable && <BlockView block={blockIn(question)} network={network} isSealed={sealed === "verified"} />}
    </>
  );
}

interface BlockViewProps {
  readonly block: Block;
  readonly network: Network;
  readonly isSealed: boolean;
}

function BlockView({ block, network, isSealed }: BlockViewProps) {
  const { previous, merkleRoot } = decodeHeader(block.header);
  const names = block.certificate.signatures.map(({ node }) => network.nameOf(toHex(node)));
  return (
    <>
      <section>
        <h2>{text("block.header")}</h2>
        <dl class="pairs">
          <Pair name={text("block.time")}>
            <Time at_ms={block.time_ms} />
          </Pair>
          <Pair name={text("block.hash")}>
            <Hash hex={toHex(headerHash(block.header))} />
          </Pair>
          <Pair name={text("block.previous")}>
            <Hash hex={toHex(previous)} />
          </Pair>
          <Pair name={text("block.root")}>
            <Hash hex={toHex(merkleRoot)} />
          </Pair>
          <Pair name={text("block.state")}>
            <Hash hex={toHex(block.stateRoot)} />
          </Pair>
          <Pair name={text("block.signers")}>
            {names.join(", ")} · {text("block.round", { round: block.certificate.round })}
          </Pair>
          <Pair name={text("block.judged")}>{block.judgedAt}</Pair>
          {block.anchors.length > 0 && (
            <Pair name={text("block.anchors")}>
              {block.anchors.map(({ chain, height }) => (
                <a key={chain} class="anchor" href={`#/chains/${chain}/blocks/${height}`}>
                  {chain}:{height}
                </a>
              ))}
            </Pair>
          )}
        </dl>
      </section>
      <Outcomes block={block} isSealed={isSealed} />
      <Slots block={block} />
      <section>
        <h2>{text("block.records")}</h2>
        {block.batches.map((batch) => (
          <div key={`${toHex(batch.origin)}/${batch.number}`} class="batch">
            <p class="quiet">
              {text("block.batch", { number: batch.number, node: network.nameOf(toHex(batch.origin)) })}
            </p>
            {batch.records.map((bytes) => (
              <RecordRow key={toHex(bytes.subarray(-SIGNATURE_END_BYTES))} bytes={bytes} />
            ))}
          </div>
        ))}
      </section>
    </>
  );
}

function Outcomes({ block, isSealed }: { readonly block: Block; readonly isSealed: boolean }) {
  const outcomes = outcomesIn(block.results);
  if (outcomes.length === 0) return null;
  return (
    <section>
      <h2>
        {text("block.outcomes")} <Mark state={isSealed ? "sealed" : "open"} />
      </h2>
      <p class="quiet">
        {text("block.outcomesTold")} <a href={`#/replay/${block.chain}/${block.height}`}>{text("replay.here")}</a>
      </p>
      <ul>
        {outcomes.map((outcome) => (
          <li key={entryText(outcome.entry)}>
            {entryText(outcome.entry)}: {outcome.type}
            {"contract" in outcome && ` · ${outcome.contract}`}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Slots({ block }: { readonly block: Block }) {
  const slots = slotsIn(block.results);
  if (slots.length === 0) return null;
  return (
    <section>
      <h2>{text("block.slots")}</h2>
      <ul>
        {slots.map(({ start_s, points }) => (
          <li key={start_s}>
            <Time at_ms={start_s * 1_000} /> · {text("block.points", { count: points })}
          </li>
        ))}
      </ul>
    </section>
  );
}
