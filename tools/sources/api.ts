// A node's HTTP API as a source of chains and receipts. What it answers is taken for what it says, not for true: audits and receipts
// are checked by whoever reads them.

import { setTimeout as pause } from "node:timers/promises";
import { BLOCK_BYTES_MAX } from "../../src/wire/block.js";
import { concatBytes, toHex } from "../../src/wire/bytes.js";
import { decodeCbor } from "../../src/wire/cbor.js";
import { WireError } from "../../src/wire/error.js";
import { LINEAGE_BYTES_MAX, splitLineage } from "../../src/wire/lineage.js";
import { RECEIPT_BYTES_MAX } from "../../src/wire/receipt.js";
import { asArray, asBytes, asHeight } from "../../src/wire/shape.js";
import { GridsealError, reasonOf } from "../errors.js";
import type { SealedOrder } from "../ledger/governance.js";
import { BLOCKS_PER_ANSWER_MAX } from "../routes/blocks.js";
import { splitSequence } from "./sequence.js";
import type { ChainSummary, ReceiptSource } from "./source.js";

/** A node that says nothing for so long is not reached. */
const TIMEOUT_MS = 30_000;
const JSON_BYTES_MAX = 1_048_576;

/** Throws USAGE where the URL is none; what is asked later throws NODE_UNREACHABLE where the node does not answer as it should. */
export function openApiSource(url: string): ReceiptSource {
  const base = baseOf(url);

  return {
    origin: base,
    async chains() {
      const text = new TextDecoder().decode(await getBytes(`${base}/chains`, JSON_BYTES_MAX));
      return summariesOf(base, text);
    },
    async *blocks(service, from) {
      for (let next = from; ; ) {
        const response = await get(`${base}/chains/${service}/blocks?from=${next}&limit=${BLOCKS_PER_ANSWER_MAX}`);
        const before = next;
        for await (const block of itemsOf(base, response)) {
          yield block;
          next += 1;
        }
        if (next === before) return;
      }
    },
    async block(service, height) {
      const response = await request(`${base}/chains/${service}/blocks/${height}`);
      if (response.status === 404) return undefined;
      return wholeOf(base, await accepted(response), BLOCK_BYTES_MAX);
    },
    async *orders() {
      for (let next = 1; ; ) {
        const before = next;
        const response = await get(`${base}/orders?from=${next}`);
        for await (const row of itemsOf(base, response)) {
          yield storedOrder(base, row);
          next += 1;
        }
        if (next === before) return;
      }
    },
    async receipt(service, meter, seq) {
      const response = await request(`${base}/receipts/${service}/${toHex(meter)}/${seq}`);
      const name = `record ${seq} of meter ${toHex(meter)}`;
      if (response.status === 404) throw new GridsealError("RECORD_UNKNOWN", `${base} does not know ${name}`);
      if (response.status === 202) throw new GridsealError("RECORD_UNKNOWN", `${name} waits and is not sealed yet`);
      return wholeOf(base, await accepted(response), RECEIPT_BYTES_MAX);
    },
    async lineage(service) {
      const bytes = await getBytes(`${base}/chains/${service}/lineage`, LINEAGE_BYTES_MAX);
      try {
        return splitLineage(bytes);
      } catch (cause) {
        throw new GridsealError("NODE_UNREACHABLE", `${base} answers with no lineage: ${reasonOf(cause)}`, { cause });
      }
    },
    close: async () => {},
  };
}

/** Brings an order to a node. Throws ORDER_REFUSED with the node's reason, USAGE or NODE_UNREACHABLE. */
export async function postOrder(url: string, bytes: Uint8Array): Promise<void> {
  const base = baseOf(url);
  const response = await request(`${base}/orders`, {
    method: "POST",
    headers: { "content-type": "application/cose" },
    body: Buffer.from(bytes),
  });
  if (response.status === 202) return;
  const text = new TextDecoder().decode(await wholeOf(base, response, JSON_BYTES_MAX));
  if (response.status !== 400 && response.status !== 409) {
    throw new GridsealError("NODE_UNREACHABLE", `${base}/orders answers ${response.status}: ${text.slice(0, 200)}`);
  }
  throw new GridsealError("ORDER_REFUSED", `${base} refuses the order: ${reasonIn(text)}`);
}

function reasonIn(text: string): string {
  try {
    return String((JSON.parse(text) as { readonly message?: unknown }).message).slice(0, 200);
  } catch {
    return text.slice(0, 200);
  }
}

function baseOf(url: string): string {
  if (/^https?:\/\//.test(url) && URL.canParse(url)) return url.replace(/\/+$/, "");
  throw new GridsealError("USAGE", `--api must be http://host:port, not ${url}`);
}

/** One row of the answer that lists orders. */
function storedOrder(base: string, row: Uint8Array): SealedOrder {
  try {
    const [contractsHeight, bytes] = asArray(decodeCbor(row), "order row", 2);
    return { contractsHeight: asHeight(contractsHeight, "contracts height"), bytes: asBytes(bytes, "order") };
  } catch (cause) {
    throw new GridsealError("CHAIN_INVALID", `${base} answers with no order: ${reasonOf(cause)}`, { cause });
  }
}

/** The items of an answer, blocks or rows; throws CHAIN_INVALID where it is no sequence of them. */
async function* itemsOf(base: string, response: Response): AsyncGenerator<Uint8Array> {
  try {
    yield* splitSequence(chunksOf(base, response));
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw new GridsealError("CHAIN_INVALID", `${base} answers with something that is no chain: ${error.message}`, {
      cause: error,
    });
  }
}

/** Asks again where a node says when, for as long as a silent one would be waited for. */
async function request(url: string, init: RequestInit = {}): Promise<Response> {
  const until_ms = performance.now() + TIMEOUT_MS;
  for (;;) {
    const response = await requestOnce(url, init);
    const wait_ms = againAfter_ms(response);
    if (wait_ms === undefined || performance.now() + wait_ms > until_ms) return response;
    await response.body?.cancel();
    await pause(wait_ms);
  }
}

/** A node that is busy, or is asked too much, says in how many seconds it wants to be asked again (RFC 9110, section 10.2.3). */
function againAfter_ms({ status, headers }: Response): number | undefined {
  const after = headers.get("retry-after");
  const isWait = (status === 429 || status === 503) && after !== null && /^[0-9]{1,3}$/.test(after);
  return isWait ? Math.max(100, 1_000 * Number(after)) : undefined;
}

async function requestOnce(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS), redirect: "error" });
  } catch (thrown) {
    const cause = thrown instanceof Error && thrown.cause !== undefined ? thrown.cause : thrown;
    throw new GridsealError("NODE_UNREACHABLE", `${url} cannot be reached: ${reasonOf(cause)}`, { cause: thrown });
  }
}

async function accepted(response: Response): Promise<Response> {
  if (response.status === 200) return response;
  const text = await response.text().catch(() => "");
  if (response.status === 410) {
    throw new GridsealError("BLOCK_PRUNED", `${response.url}: the node does not keep that block any more`);
  }
  throw new GridsealError("NODE_UNREACHABLE", `${response.url} answers ${response.status}: ${text.slice(0, 200)}`);
}

async function get(url: string): Promise<Response> {
  return accepted(await request(url));
}

async function getBytes(url: string, bytes_max: number): Promise<Uint8Array> {
  return wholeOf(url, await get(url), bytes_max);
}

async function wholeOf(origin: string, response: Response, bytes_max: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunksOf(origin, response)) {
    length += chunk.length;
    if (length > bytes_max) {
      throw new GridsealError("NODE_UNREACHABLE", `${response.url} answers more than ${bytes_max} bytes`);
    }
    chunks.push(chunk);
  }
  return concatBytes(...chunks);
}

async function* chunksOf(origin: string, response: Response): AsyncGenerator<Uint8Array> {
  if (response.body === null) return;
  try {
    for await (const chunk of response.body) yield chunk as Uint8Array;
  } catch (cause) {
    throw new GridsealError("NODE_UNREACHABLE", `${origin} broke off its answer: ${reasonOf(cause)}`, { cause });
  }
}

function summariesOf(origin: string, text: string): readonly ChainSummary[] {
  let rows: unknown;
  try {
    rows = JSON.parse(text);
  } catch {
    rows = undefined;
  }
  if (!Array.isArray(rows) || !rows.every(isSummary)) {
    throw new GridsealError("NODE_UNREACHABLE", `${origin}/chains is not the answer of a node`);
  }
  return rows;
}

function isSummary(row: unknown): row is ChainSummary {
  if (typeof row !== "object" || row === null) return false;
  const { service, name, height, header, records, violations, time_ms } = row as Record<keyof ChainSummary, unknown>;
  return (
    [service, height, records, violations].every(Number.isSafeInteger) &&
    typeof name === "string" &&
    typeof header === "string" &&
    (time_ms === null || Number.isSafeInteger(time_ms))
  );
}
