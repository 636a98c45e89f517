// What a store says of itself: whose it is, for ever, and whether it stands in for one that was lost.

import { equalBytes } from "../../../src/wire/bytes.js";
import { encodeCbor } from "../../../src/wire/cbor.js";
import { GridsealError } from "../../errors.js";
import { type AnyTable, asIs, readRow, sha256Checksum, type Table } from "./table.js";

export const meta: Table<Buffer, Uint8Array> = {
  name: "meta",
  describe: (key) => (key.equals(OWNER_KEY) ? "its owner" : `that it was ${key.toString()}`),
  encode: asIs,
  decode: asIs,
  checksum: sha256Checksum,
};

/** Whose store it is, for ever. */
export interface Owner {
  readonly node: Uint8Array;
  readonly genesisHash: Uint8Array;
}

/** Of the rows of all tables: it changes with any of them, so that what another release has written is not taken for damage. */
const FORMAT = 5;
export const OWNER_KEY = Buffer.from("owner");
/** Stands there where this is not the store that the node's key signed with before. */
export const REPLACED_KEY = Buffer.from("replaced");
export const replacedMark = Uint8Array.of(1);
/** Stands there where rows were erased since the file was written. */
export const ERASED_KEY = Buffer.from("erased");

/** Where its rows are, as they are encoded. */
interface EncodedRows {
  row(table: AnyTable, key: Buffer): Buffer | undefined;
}

/** Throws STORE_FOREIGN where the store is not this node's or of another format, STORE_CORRUPT where it does not say whose it is. */
export function checkOwner(medium: EncodedRows, path: string, owner: Owner): void {
  const row = medium.row(meta, OWNER_KEY);
  if (row === undefined) throw new GridsealError("STORE_CORRUPT", `store ${path} does not say whose it is`);
  // Rows of formats 1 and 2 had no checksum here: they begin as an array of three.
  const isEarlier = row[0] === 0x83 && row.length === identityOf(owner).length;
  const identity = isEarlier ? row : readRow(path, meta, OWNER_KEY, row);
  if (!isEarlier && equalBytes(identity, identityOf(owner))) return;
  const format = identity[1];
  if (format === FORMAT) throw new GridsealError("STORE_FOREIGN", `store ${path} belongs to another node or network`);
  throw new GridsealError(
    "STORE_FOREIGN",
    `store ${path} is of format ${format}, and this release reads ${FORMAT}: go on with the release that has written it, or put the folder away and let the node fetch its chains from its peers`,
  );
}

export function identityOf({ node, genesisHash }: Owner): Uint8Array {
  return encodeCbor([FORMAT, node, genesisHash]);
}
