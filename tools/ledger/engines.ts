// The engines of contracts that this version has, each with what it runs before a contract: both are named by their hashes, in orders
// and in the script of a block. Rows stay: sealed blocks name them.

import { equalBytes, fromHex } from "../../src/wire/bytes.js";

/** SHA-256 of the engine's bytes, quickjs.wasm of quickjs-wasi 3.7.0. */
export const ENGINE_HASH = "c0bd8f296e18cf074969f6401b9ecb72609a1323818ec2b9bf7a8f8d740d1363";
/** SHA-256 of the prelude's UTF-8 (tools/contracts/prelude.ts). */
export const PRELUDE_HASH = "30509b338f28ee206b09b7ddfdef2701e9966167a41af7da0ab880e656e73eec";

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
