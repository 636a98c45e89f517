// Values of an NVS partition in a table, in the syntax of ESP-IDF's nvs_partition_gen: the columns key, type, encoding, value; a row of
// type `namespace` says where those below it go, one of type `file` takes its value from a file.

import { fromHex } from "../../../src/wire/bytes.js";
import { GridsealError, reasonOf } from "../../errors.js";
import { readCsv } from "../../files/csv.js";
import type { NvsInteger, NvsValue } from "./image.js";

const HEAD = "key,type,encoding,value";
const integers: readonly string[] = ["u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64"];

/** The values of a table; `readFile` gives the bytes of a file that it names. Throws FILE_INVALID with the line. */
export function readNvsTable(text: string, readFile: (path: string) => Uint8Array): readonly NvsValue[] {
  let rows: ReturnType<typeof readCsv>;
  // A comment keeps its line, so that those below are counted right.
  const source = text.replace(/^#.*$/gm, "");
  try {
    rows = readCsv(source);
  } catch (cause) {
    throw new GridsealError("FILE_INVALID", `the table cannot be read: ${reasonOf(cause)}`, { cause });
  }
  const [head, ...others] = rows;
  if (head?.cells.join() !== HEAD) throw new GridsealError("FILE_INVALID", `the table's first row is not ${HEAD}`);
  const values: NvsValue[] = [];
  let namespace: string | undefined;
  for (const { line, cells } of others) {
    const [key = "", type = "", encoding = "", cell = ""] = cells;
    try {
      if (type === "namespace") {
        namespace = key;
        continue;
      }
      if (namespace === undefined) throw new RangeError("a row of type namespace must come first");
      if (type !== "data" && type !== "file")
        throw new RangeError(`its type is "${type}", not namespace, data or file`);
      values.push({ namespace, key, ...valued(encoding, type === "file" ? readFile(cell) : cell) });
    } catch (cause) {
      throw new GridsealError("FILE_INVALID", `line ${line}, ${key}: ${reasonOf(cause)}`, { cause });
    }
  }
  return values;
}

type Valued =
  | { readonly type: NvsInteger; readonly value: bigint }
  | { readonly type: "text"; readonly value: string }
  | { readonly type: "blob"; readonly value: Uint8Array };

function valued(encoding: string, given: string | Uint8Array): Valued {
  if (encoding === "binary") {
    if (typeof given === "string") throw new RangeError("the encoding binary is for files alone");
    return { type: "blob", value: given };
  }
  const text = typeof given === "string" ? given : new TextDecoder("utf-8", { fatal: true }).decode(given);
  if (integers.includes(encoding)) {
    if (!/^-?[0-9]{1,20}$/.test(text)) throw new RangeError(`"${text.slice(0, 32)}" is no whole number`);
    return { type: encoding as NvsInteger, value: BigInt(text) };
  }
  switch (encoding) {
    case "string":
      return { type: "text", value: text };
    case "hex2bin": {
      const bytes = fromHex(text.trim().toLowerCase());
      if (bytes === undefined) throw new RangeError("it is no hex");
      return { type: "blob", value: bytes };
    }
    case "base64": {
      const plain = text.replace(/\s/g, "");
      if (!/^[A-Za-z0-9+/]*={0,2}$/.test(plain) || plain.length % 4 !== 0) throw new RangeError("it is no base64");
      return { type: "blob", value: Uint8Array.from(Buffer.from(plain, "base64")) };
    }
  }
  throw new RangeError(`the encoding "${encoding}" is none of ${integers.join(", ")}, string, hex2bin, base64, binary`);
}
