// A record in a row: who signed it, when, and what it says in the clear.

import { toHex } from "../../../src/wire/bytes.js";
import { isOperation, parseAnyRecord } from "../../../src/wire/operation.js";
import { valueToJson } from "../../contracts/value-json.js";
import { text } from "../texts.js";
import { Time } from "./figures.js";
import { registerText } from "./registers.js";

export function RecordRow({ bytes }: { readonly bytes: Uint8Array }) {
  const record = parseAnyRecord(bytes);
  const { service, seq, time_s, digests = [] } = record.claims;
  const kid = toHex(record.kid);
  return (
    <div class="record">
      <a href={`#/records/${service}/${kid}/${seq}`}>
        <code>{kid}</code> #{seq}
      </a>
      <Time at_ms={time_s * 1_000} />
      <span class="values">
        {isOperation(record)
          ? JSON.stringify(valueToJson(record.claims.body))
          : (record.claims.registers ?? []).map(registerText).join(" · ")}
        {digests.length > 0 && ` · ${text("block.hidden", { count: digests.length })}`}
      </span>
    </div>
  );
}
