// A block's operations as entries: each is its contract's, by its type, unless it came too late.

import { parseCredential, roles as roleNames } from "../../src/wire/credential.js";
import type { Value } from "../../src/wire/value.js";
import { assertInvariant } from "../errors.js";
import type { EntriesPlace, PlannedEntry } from "./entry.js";
import type { ChainView, Execution } from "./execution.js";
import { type AskedOperation, askedBy, type ExecutionRecord } from "./record-scan.js";

/** The operations that the block seals, by their leaves. */
export function operationEntries(place: EntriesPlace, execution: Execution): PlannedEntry[] {
  const records = execution.sealed.flatMap((sealed) => sealed.records);
  return records.flatMap((record, index): PlannedEntry[] =>
    record.type === undefined
      ? []
      : [{ entry: { kind: "operation", leaf: index + 1 }, fate: fateOf(place, execution, record) }],
  );
}

function fateOf(place: EntriesPlace, execution: Execution, record: ExecutionRecord): PlannedEntry["fate"] {
  const contract = place.contracts.find(({ install }) => install.types.includes(record.type!));
  if (contract === undefined) return { type: "unhandled" };
  const asked = askedBy(record)!;
  if (asked.until_s !== undefined && place.time_ms > asked.until_s * 1_000) return { type: "expired" };
  const signer = signerOf(place.view, execution, record);
  return { type: "run", contract, argument: argumentOf(asked, signer), jurisdiction: signer.jurisdiction };
}

interface SignerOnChain {
  readonly issued_id: string;
  readonly roles: readonly number[];
  readonly jurisdiction: string | undefined;
}

/** Who has signed the record, by the credential that the block brings or that is on the chain. */
function signerOf(view: ChainView, execution: Execution, { meter }: ExecutionRecord): SignerOnChain {
  const bytes = execution.credentials.get(meter) ?? view.credential(meter);
  assertInvariant(bytes !== undefined, "who signs a sealed operation has a credential on the chain");
  const { subject, roles, jurisdiction } = parseCredential(bytes);
  return { issued_id: subject, roles: roles.map((role) => roleNames.indexOf(role)), jurisdiction };
}

function argumentOf(asked: AskedOperation, signer: SignerOnChain): Value {
  const { type, participant, seq, time_s, body } = asked;
  const jurisdiction = signer.jurisdiction ?? null;
  const { issued_id, roles } = signer;
  return { type, participant, issued_id, roles, jurisdiction, seq, time_s, body };
}
