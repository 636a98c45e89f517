// Files that somebody holds, checked without asking anybody: dropped here they are read in this browser and sent nowhere.

import { useState } from "preact/hooks";
import { toHex } from "../../../src/wire/bytes.js";
import { type Genesis, verifyGenesis } from "../../../src/wire/genesis.js";
import type { Network } from "../network/network.js";
import { Alert } from "../parts/alert.js";
import { Hash } from "../parts/figures.js";
import { Findings, useFindings } from "../parts/findings.js";
import { GroundContext } from "../parts/mark.js";
import { text } from "../texts.js";
import { type Finding, findingsOf } from "../verification/finding.js";
import { type FileKind, kindOf, receiptChecks, slotChecks, stateChecks } from "../verification/proof-checks.js";
import { browserVerify } from "../verification/signatures.js";
import { RecordView } from "./record.js";

/** Larger than any proof with its lineage. */
const FILE_BYTES_MAX = 8_388_608;

type Held = Readonly<Partial<Record<FileKind, Uint8Array>>> & { readonly unknown?: string };

export function ReceiptPage({ network }: { readonly network: Network }) {
  const [held, setHeld] = useState<Held>({});
  const [isOver, setIsOver] = useState(false);
  const take = async (files: readonly File[]) => {
    let next: Held = { ...held, unknown: "" };
    for (const file of files) next = { ...next, ...(await heldIn(file)) };
    setHeld(next);
  };
  const onDrop = (event: DragEvent) => {
    event.preventDefault();
    setIsOver(false);
    void take([...(event.dataTransfer?.files ?? [])]);
  };
  const onOver = (event: DragEvent) => {
    event.preventDefault();
    setIsOver(true);
  };
  return (
    <article>
      <h1>{text("page.receipt")}</h1>
      <section>
        <label
          class={`drop ${isOver ? "over" : ""}`}
          onDrop={onDrop}
          onDragOver={onOver}
          onDragLeave={() => setIsOver(false)}
        >
          <b>{text("receipt.drop")}</b>
          <span class="quiet">{text("receipt.kinds")}</span>
          <input type="file" multiple onChange={(event) => void take([...(event.currentTarget.files ?? [])])} />
        </label>
        <p class="quiet">{text("receipt.stays")}</p>
        {held.unknown && <Alert>{text("receipt.unknown", { name: held.unknown })}</Alert>}
      </section>
      <Checked held={held} network={network} />
    </article>
  );
}

/** What a file is; a genesis and a record begin alike, and a genesis is signed by the authority that stands in it. */
async function heldIn(file: File): Promise<Held> {
  if (file.size > FILE_BYTES_MAX) return { unknown: file.name };
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (readGenesis(bytes) !== undefined) return { genesis: bytes };
  const kind = kindOf(bytes);
  return kind === undefined ? { unknown: file.name } : { [kind]: bytes };
}

function readGenesis(bytes: Uint8Array | undefined): Genesis | undefined {
  try {
    return bytes === undefined ? undefined : verifyGenesis(bytes, browserVerify);
  } catch {
    return undefined;
  }
}

function Checked({ held, network }: { readonly held: Held; readonly network: Network }) {
  const dropped = readGenesis(held.genesis);
  const genesis = dropped ?? network.genesis;
  const common = { genesis, lineage: network.lineage, verify: browserVerify };
  const checksOf: Readonly<Partial<Record<FileKind, () => AsyncGenerator<Finding>>>> = {
    receipt: () =>
      findingsOf(receiptChecks, {
        ...common,
        file: held.receipt!,
        record: held.record,
        credential: network.credential,
      }),
    slot: () => findingsOf(slotChecks, { ...common, file: held.slot! }),
    state: () => findingsOf(stateChecks, { ...common, file: held.state! }),
  };
  const kind = (["receipt", "slot", "state"] as const).find((name) => held[name] !== undefined);
  const found = useFindings(() => (kind === undefined ? nothing() : checksOf[kind]!()), [held]);
  if (kind === undefined)
    return held.record === undefined ? null : <RecordView bytes={held.record} height={undefined} />;
  return (
    <GroundContext.Provider value={toHex(genesis.hash)}>
      <section>
        <h2>{text("block.checks")}</h2>
        <p class="quiet">
          {text(dropped === undefined ? "receipt.ofNode" : "receipt.ofFile")} <Hash hex={toHex(genesis.hash)} />
        </p>
        {genesis.isTest && <Alert>{text("app.testNetwork")}</Alert>}
        <Findings found={found} awaited={found.findings.length} />
      </section>
      {held.record !== undefined && kind === "receipt" && <RecordView bytes={held.record} height={undefined} />}
    </GroundContext.Provider>
  );
}

async function* nothing(): AsyncGenerator<Finding> {}
