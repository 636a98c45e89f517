// The ways by which operations of one service are brought to the network: an API, or a broker (broker-session.ts).

import { lineageUpTo } from "../../../src/wire/lineage.js";
import { decodeReceipt } from "../../../src/wire/receipt.js";
import { GridsealError } from "../../errors.js";
import type { Waiting } from "../../files/operations/outbox.js";
import type { Participant } from "../../files/operations/participant-folder.js";
import { openApiSource, postRecord } from "../../sources/api.js";

export interface Way {
  /** Rejects with RECORD_REFUSED where it is refused, as far as that is known at once. */
  submit(waiting: Waiting): Promise<void>;
  /** Undefined where it is not sealed yet. Rejects with RECORD_REFUSED where it was refused since. */
  receipt(waiting: Waiting): Promise<Sealed | undefined>;
  /** The block of a height, where this way has blocks and lets this participant read them. */
  block(height: number): Promise<Uint8Array | undefined>;
  close(): Promise<void>;
}

/** A receipt, and what leads to the members that sealed it; nothing of it is checked. */
export interface Sealed {
  readonly bytes: Uint8Array;
  readonly lineage: readonly Uint8Array[];
}

export function wayByApi({ kid, tokenFor }: Participant, service: number, api: string): Way {
  const source = openApiSource(api, tokenFor);
  return {
    async submit({ bytes }) {
      await postRecord(api, bytes, tokenFor);
    },
    async receipt({ seq }) {
      try {
        const bytes = await source.receipt(service, kid, seq);
        const { height } = decodeReceipt(bytes);
        return { bytes, lineage: lineageUpTo(await source.lineage(service), height) };
      } catch (error) {
        if (error instanceof GridsealError && error.code === "RECORD_UNKNOWN") return undefined;
        throw error;
      }
    },
    async block(height) {
      try {
        return await source.block(service, height);
      } catch (error) {
        if (error instanceof GridsealError && ["NOT_ADMITTED", "BLOCK_PRUNED"].includes(error.code)) return undefined;
        throw error;
      }
    },
    close: () => source.close(),
  };
}
