// The engines of contracts that this version has, each with what it runs before a contract: both are named by their hashes, in orders
// and in the script of a block. Rows stay: sealed blocks name them.

import { equalBytes, fromHex } from "../../src/wire/bytes.js";

/** SHA-256 of the engine: quickjs.wasm of quickjs-wasi 3.7.0, as tools/contracts/counting.ts makes it count. */
export const ENGINE_HASH = "01f70a4f5504c1b7decd5f73832dbb7490cd041a4908d67dd3aaec5f2955a011";
/** SHA-256 of the prelude's UTF-8 (tools/contracts/prelude.ts). */
export const PRELUDE_HASH = "c8a2b7be2afe8221b13b5d3ab2a6d5ed0ea75b689f58fd476c5477cc43ae9d5c";

export interface EngineName {
  readonly engine: Uint8Array;
  readonly prelude: Uint8Array;
}

/** The engine that new contracts are written for. */
export const newestEngine: EngineName = { engine: fromHex(ENGINE_HASH)!, prelude: fromHex(PRELUDE_HASH)! };

const known: readonly EngineName[] = [newestEngine];

export function isKnownEngine({ engine, prelude }: EngineName): boolean {
  return known.some((row) => equalBytes(row.engine, engine) && equalBytes(row.prelude, prelude));
}
