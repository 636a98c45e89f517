// What an export says of itself, in manifest.json: of which blocks of which chains it is, what its columns are, and the digest of each
// file. Whoever has the genesis makes the same export from the chain, byte for byte.

import { createHash } from "node:crypto";
import { join, normalize } from "node:path";
import { GridsealError, reasonOf } from "../errors.js";
import { readWhole } from "../files/made-once.js";
import { type Column, columns } from "./columns.js";

export const FORMAT = "gridseal/readings/1";
export const MANIFEST = "manifest.json";
const MANIFEST_BYTES_MAX = 268_435_456;

export type FileForm = "parquet" | "csv";

/** A file of rows of one service and UTC day. */
export interface ExportedFile {
  /** below the export's folder, as `service=1/day=2026-11-30/part-00001.parquet` */
  readonly path: string;
  readonly form: FileForm;
  readonly service: number;
  readonly day: string;
  readonly rows: number;
  readonly bytes: number;
  /** hex */
  readonly sha256: string;
}

export interface ExportedChain {
  readonly service: number;
  readonly name: string;
  /** first and last block of which rows are here */
  readonly from: number;
  readonly to: number;
  /** header hash of the last one, hex: it stands for all before it */
  readonly header: string;
  readonly records: number;
  readonly meters: number;
  readonly rows: number;
  /** confidential groups, of which values are not here */
  readonly hidden: number;
  /** values beyond 64 bits, which are not here */
  readonly beyond: number;
}

export interface Manifest {
  readonly format: typeof FORMAT;
  readonly network: string;
  /** hash, hex: all was verified against it */
  readonly genesis: string;
  readonly chains: readonly ExportedChain[];
  readonly columns: readonly Column[];
  readonly files: readonly ExportedFile[];
}

export function manifestText(manifest: Manifest): string {
  return `${JSON.stringify(manifest, undefined, 1)}\n`;
}

export function digestOf(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Rejects with FILE_UNREADABLE, or FILE_INVALID where it is no manifest of an export. */
export async function readManifest(folder: string): Promise<Manifest> {
  const path = join(folder, MANIFEST);
  const text = new TextDecoder().decode(await readWhole(path, MANIFEST_BYTES_MAX));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new GridsealError("FILE_INVALID", `${path} is no JSON: ${reasonOf(cause)}`, { cause });
  }
  const complaint = complaintOf(value);
  if (complaint !== undefined) throw new GridsealError("FILE_INVALID", `${path}: ${complaint}`);
  return value as Manifest;
}

const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
const isHash = (value: unknown) => typeof value === "string" && /^[0-9a-f]{64}$/.test(value);

function complaintOf(value: unknown): string | undefined {
  const { format, network, genesis, chains, columns: named, files } = (value ?? {}) as Partial<Manifest>;
  if (format !== FORMAT) return `its format is ${JSON.stringify(format)}, not ${FORMAT}`;
  if (typeof network !== "string" || !isHash(genesis)) return "it names no network and genesis";
  if (!Array.isArray(chains) || !Array.isArray(files)) return "it lists no chains or files";
  if (JSON.stringify(named) !== JSON.stringify(columns)) return "its columns are other ones";
  const badChain = (chains as Partial<ExportedChain>[]).find(
    ({ service, name, from, to, header }) =>
      ![service, from, to].every(isCount) || typeof name !== "string" || !isHash(header),
  );
  if (badChain !== undefined) return `a chain is not as it should be: ${JSON.stringify(badChain)}`;
  const badFile = (files as Partial<ExportedFile>[]).find(
    ({ path, service, rows, bytes, sha256 }) =>
      typeof path !== "string" || !isBelow(path) || ![service, rows, bytes].every(isCount) || !isHash(sha256),
  );
  return badFile === undefined ? undefined : `a file is not as it should be: ${JSON.stringify(badFile)}`;
}

/** Whether a path stays in the export's folder. */
function isBelow(path: string): boolean {
  return normalize(path) === path && /^service=\d+\/day=[-+\d]+\/part-\d+\.(?:parquet|csv)$/.test(path);
}

/** A file of the export, the same as was written. Rejects with FILE_UNREADABLE or FILE_INVALID. */
export async function readExported(folder: string, { path, sha256, bytes: length }: ExportedFile): Promise<Uint8Array> {
  const at = join(folder, path);
  const bytes = await readWhole(at, length);
  if (digestOf(bytes) !== sha256) {
    throw new GridsealError("FILE_INVALID", `${at} is not the file that the manifest names: its SHA-256 differs`);
  }
  return bytes;
}
