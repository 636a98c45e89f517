// A record with its receipt: the eight steps from what a meter has signed to who sealed it, made here one after the other.

import { toHex } from "../../../src/wire/bytes.js";
import { isOperation, OPERATION_BYTES_MAX, parseAnyRecord } from "../../../src/wire/operation.js";
import { valueToJson } from "../../contracts/value-json.js";
import { receipt as receiptShape } from "../../routes/receipts.js";
import { decodeRecordRow, type FoundRecord } from "../../routes/record-rows.js";
import { sealedRecords } from "../../routes/records.js";
import { askBytes, itemsIn } from "../network/ask.js";
import type { Network } from "../network/network.js";
import { Shown, useAsked } from "../parts/asked.js";
import { Download } from "../parts/download.js";
import { Hash, Pair, Time } from "../parts/figures.js";
import { Findings, useFindings } from "../parts/findings.js";
import { registerText } from "../parts/registers.js";
import { text } from "../texts.js";
import { findingsOf } from "../verification/finding.js";
import { type ReceiptQuestion, receiptChecks } from "../verification/proof-checks.js";
import { browserVerify } from "../verification/signatures.js";

interface RecordPageProps {
  readonly network: Network;
  readonly service: number;
  readonly kid: string;
  readonly seq: number;
}

export function RecordPage({ network, service, kid, seq }: RecordPageProps) {
  const asked = useAsked(() => askProof({ network, service, kid, seq }), [network, service, kid, seq]);
  const path = `#/records/${service}/${kid}`;
  return (
    <article>
      <h1>
        {text("record.title", { seq })} <code>{kid}</code>
      </h1>
      <nav class="steps" aria-label={text("record.title", { seq })}>
        {seq > 0 && <a href={`${path}/${seq - 1}`}>← {text("record.before")}</a>}
        <a href={`${path}/${seq + 1}`}>{text("record.after")} →</a>
      </nav>
      <Shown asked={asked}>{(proof) => <Proved proof={proof} />}</Shown>
    </article>
  );
}

interface AskedProof {
  readonly question: ReceiptQuestion;
  readonly found: FoundRecord | undefined;
}

async function askProof({ network, service, kid, seq }: RecordPageProps): Promise<AskedProof> {
  const file = await askBytes(receiptShape, { parameters: { service, meter: kid, seq } });
  const rows = await askBytes(sealedRecords, { parameters: { service, meter: kid }, query: { from: seq, limit: 1 } });
  const [row] = itemsIn(rows, { size: OPERATION_BYTES_MAX + 128, items: 8 }).map(decodeRecordRow);
  const found = row?.seq === seq ? row : undefined;
  const { genesis, lineage, credential } = network;
  return { found, question: { file, record: found?.bytes, genesis, lineage, credential, verify: browserVerify } };
}

function Proved({ proof: { question, found } }: { readonly proof: AskedProof }) {
  const checked = useFindings(() => findingsOf(receiptChecks, question), [question]);
  const name = found === undefined ? "receipt" : `${toHex(found.hash).slice(0, 12)}`;
  return (
    <>
      <section>
        <h2>{text("block.checks")}</h2>
        <Findings found={checked} awaited={receiptChecks.length} />
        <p>
          <Download bytes={question.file} name={`${name}.receipt`} label={text("record.saveReceipt")} />{" "}
          {question.record !== undefined && (
            <Download bytes={question.record} name={`${name}.record`} label={text("record.saveRecord")} />
          )}
        </p>
      </section>
      {question.record !== undefined && <RecordView bytes={question.record} height={found?.height} />}
    </>
  );
}

/** What a record says. */
export function RecordView({ bytes, height }: { readonly bytes: Uint8Array; readonly height: number | undefined }) {
  const record = parseAnyRecord(bytes);
  const { service, time_s, quality, previous, digests = [] } = record.claims;
  return (
    <section>
      <h2>{text("record.says")}</h2>
      <dl class="pairs">
        {height !== undefined && (
          <Pair name={text("record.block")}>
            <a href={`#/chains/${service}/blocks/${height}`}>
              {service}:{height}
            </a>
          </Pair>
        )}
        <Pair name={text("block.time")}>
          <Time at_ms={time_s * 1_000} /> · {text("record.quality", { quality })}
        </Pair>
        <Pair name={text("block.hash")}>
          <Hash hex={toHex(record.hash)} />
        </Pair>
        <Pair name={text("record.previous")}>
          <Hash hex={toHex(previous)} />
        </Pair>
        {isOperation(record) ? (
          <Pair name={text("record.asks", { type: record.claims.type })}>
            <pre>{JSON.stringify(valueToJson(record.claims.body), undefined, 2)}</pre>
          </Pair>
        ) : (
          (record.claims.registers ?? []).map((register) => (
            <Pair key={toHex(register.obis)} name={registerText(register).split(" ")[0]!}>
              {registerText(register).split(" ").slice(1).join(" ")}
            </Pair>
          ))
        )}
        {digests.length > 0 && (
          <Pair name={text("record.hidden")}>{text("block.hidden", { count: digests.length })}</Pair>
        )}
        {record.disclosures.map((disclosure) => (
          <Pair key={disclosure.label} name={text("record.disclosed", { label: disclosure.label })}>
            {"registers" in disclosure
              ? disclosure.registers.map(registerText).join(" · ")
              : JSON.stringify(valueToJson(disclosure.value))}
          </Pair>
        ))}
      </dl>
    </section>
  );
}
