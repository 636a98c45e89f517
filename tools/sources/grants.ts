// What a node delivers on a grant, over its API. Whatever it answers is checked by who opens it.

import { decodeCbor } from "../../src/wire/cbor.js";
import { type DeliveredShare, deliveredShareFrom } from "../../src/wire/delivery.js";
import { ENVELOPE_BYTES_MAX } from "../../src/wire/envelope.js";
import { WireError } from "../../src/wire/error.js";
import { asArray, asBytes } from "../../src/wire/shape.js";
import { GridsealError } from "../errors.js";
import type { TokenFor } from "../files/holder-folder.js";
import { grant, grantRecords, grantShares } from "../routes/grants.js";
import type { ValueOf } from "../routes/shape.js";
import { type Answer, askAnswer, askValue, baseOf, chunksOf } from "./client.js";
import { splitSequence } from "./sequence.js";

export type StatedGrant = ValueOf<typeof grant>;

export interface DeliveredRecord {
  /** as it is sealed */
  readonly record: Uint8Array;
  readonly receipt: Uint8Array;
  /** its sealed disclosures, encoded */
  readonly sealed: Uint8Array;
}

export interface GrantSource {
  readonly origin: string;
  /** Rejects with NODE_UNREACHABLE, or NOT_ADMITTED where the node has no such grant in force. */
  grant(): Promise<StatedGrant>;
  /** Of no more than GRANT_DAYS_MAX days; the signal gives them up. */
  shares(days: Days, signal?: AbortSignal): AsyncGenerator<DeliveredShare>;
  records(days: Days, signal?: AbortSignal): AsyncGenerator<DeliveredRecord>;
}

/** UTC days since 1970: the first, and the one behind the last. */
export interface Days {
  readonly from: number;
  readonly until: number;
}

type DaysShape = typeof grantShares | typeof grantRecords;

const itemLimits = { size: 131_072, items: 8 };

export function openGrantSource(url: string, of: { service: number; grant: string }, tokenFor?: TokenFor): GrantSource {
  const base = baseOf(url);
  const token = () => tokenFor?.(base);
  const items = async function* (shape: DaysShape, { from: day, until }: Days, length: number, signal?: AbortSignal) {
    const question = { parameters: { ...of, day }, query: { until }, token: token(), signal };
    const answer: Answer = await askAnswer(base, shape, question);
    try {
      for await (const item of splitSequence(chunksOf(answer))) {
        yield asArray(decodeCbor(item, itemLimits), "delivered item", length);
      }
    } catch (cause) {
      if (!(cause instanceof WireError)) throw cause;
      throw new GridsealError("NODE_UNREACHABLE", `${base} delivers nothing that can be read: ${cause.message}`, {
        cause,
      });
    }
  };
  return {
    origin: base,
    grant: () => askValue(base, grant, { parameters: of, token: token() }),
    async *shares(days, signal) {
      for await (const item of items(grantShares, days, 4, signal)) {
        const share = deliveredShareFrom(item);
        if (share.envelope.length <= ENVELOPE_BYTES_MAX) yield share;
      }
    },
    async *records(days, signal) {
      for await (const [record, receipt, sealed] of items(grantRecords, days, 3, signal)) {
        yield {
          record: asBytes(record, "delivered record"),
          receipt: asBytes(receipt, "delivered receipt"),
          sealed: asBytes(sealed, "delivered disclosures"),
        };
      }
    },
  };
}
