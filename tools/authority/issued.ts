// What an authority has issued, issued.jsonl: a row per credential, written and synced before the
// credential leaves the authority. The position in the status list that a credential gets is its
// number in here, so that none is given twice.

import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { GridsealError, reasonOf } from "../errors.js";
import { readWhole } from "../files/made-once.js";
import { SECRET } from "../files/private-files.js";

export interface IssuedRow {
  /** when, ISO 8601 in UTC */
  readonly time: string;
  /** the issued ID */
  readonly id: string;
  /** key id, 16 hex digits */
  readonly meter: string;
  /** COSE_Key in hex */
  readonly key: string;
  /** claim 7 in hex */
  readonly credential: string;
  readonly statusIndex: number;
  readonly services: readonly number[];
  readonly notBefore_s: number;
  readonly expires_s: number;
}

const ISSUED_BYTES_MAX = 1_073_741_824;

export interface IssuedList {
  readonly rows: readonly IssuedRow[];
  append(rows: readonly IssuedRow[]): Promise<void>;
}

/**
 * Runs `use` with what an authority has issued, which no other process has meanwhile. Throws
 * CONFIGURATION_INVALID where a row is damaged.
 */
export async function withIssued<Result>(
  folder: string,
  use: (issuedList: IssuedList) => Promise<Result>,
): Promise<Result> {
  const path = join(folder, "issued.jsonl");
  const lock = `${path}.lock`;
  await takeLock(lock);
  try {
    return await use({ rows: await readRows(path), append: (rows) => appendRows(path, rows) });
  } finally {
    await rm(lock, { force: true });
  }
}

async function takeLock(path: string): Promise<void> {
  try {
    const file = await open(path, "wx", SECRET);
    await file.writeFile(`${process.pid}\n`);
    await file.close();
  } catch (cause) {
    const held = (cause as NodeJS.ErrnoException).code === "EEXIST";
    throw held
      ? new GridsealError("FILE_EXISTS", `${path} exists: the authority is issuing, or was cut short while it did`)
      : new GridsealError("FILE_UNWRITABLE", `${path} cannot be written: ${reasonOf(cause)}`, { cause });
  }
}

async function readRows(path: string): Promise<readonly IssuedRow[]> {
  const text = new TextDecoder().decode(await readWhole(path, ISSUED_BYTES_MAX));
  const lines = text.split("\n");
  if (lines.pop() !== "") throw damaged(path, lines.length + 1, "it does not end with a line feed");
  return lines.map((line, index) => {
    let row: IssuedRow;
    try {
      row = JSON.parse(line) as IssuedRow;
    } catch (cause) {
      throw damaged(path, index + 1, reasonOf(cause));
    }
    if (row?.statusIndex !== index || typeof row.id !== "string") {
      throw damaged(path, index + 1, `it is not the row of status index ${index}`);
    }
    return row;
  });
}

async function appendRows(path: string, rows: readonly IssuedRow[]): Promise<void> {
  const text = rows.map((row) => `${JSON.stringify(row)}\n`).join("");
  try {
    const file = await open(path, "a");
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw new GridsealError("FILE_UNWRITABLE", `${path} cannot be written: ${reasonOf(cause)}`, { cause });
  }
}

function damaged(path: string, line: number, reason: string): GridsealError {
  return new GridsealError("CONFIGURATION_INVALID", `${path}: line ${line} is damaged: ${reason}`);
}
