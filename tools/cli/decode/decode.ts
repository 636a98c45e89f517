// `gridseal decode`: the registers of a capture file, frame by frame, as a table or as one line of
// JSON each. What the port spoke is found from the bytes where it is not named.

import type { Command } from "commander";
import { formatObis } from "../../../src/meter/obis.js";
import type { ReaderOptions } from "../../../src/meter/open-reader.js";
import { createReader } from "../../../src/meter/open-reader.js";
import { profileNames } from "../../../src/meter/profiles.js";
import { type Outcome, type Protocol, protocols, type Reading } from "../../../src/meter/reader.js";
import type { Register } from "../../../src/meter/register.js";
import { unitName } from "../../../src/meter/unit.js";
import { parsePulseCapture } from "../../emulators/pulse-capture.js";
import { GridsealError } from "../../errors.js";
import { nodeMeterCrypto } from "../../meters/meter-crypto.js";
import { cellsOf, meterTypes } from "../../meters/meter-types.js";
import { detectProtocol, readCapture } from "../../meters/ports/capture.js";
import { foreignCapture } from "../../meters/ports/foreign-capture.js";
import { decimal, printLines, printNote, table } from "../../terminal/output.js";
import { FrameList, type Shown } from "./frame-list.js";
import { readMeterKeys } from "./meter-keys.js";

export interface DecodeOptions {
  /** `-` is standard input. */
  readonly file: string;
  /** A protocol of src/meter/reader.ts; found from the bytes where it is not given. */
  readonly protocol?: string;
  /** A file with the port's keys; see meter-keys.ts. */
  readonly keyFile?: string;
  /**
   * Reads HDLC and M-Bus ports that authenticate where the key file has the encryption key alone.
   */
  readonly acceptUnauthenticated?: boolean;
  /** A meter type of src/meter/profiles.ts, for its quirks. */
  readonly profile?: string;
  readonly json?: boolean;
}

export function registerDecode(program: Command): void {
  program
    .command("decode")
    .description("print the registers of a capture, frame by frame")
    .argument("[file]", "capture, or - for standard input")
    .option("--protocol <name>", "protocol of the meter's port; found from the bytes where it is left out")
    .option("--key-file <file>", "keys of an encrypted port: 32 hex digits a line, encryption first")
    .option(
      "--accept-unauthenticated",
      "read a port that authenticates with its encryption key alone: nothing vouches for it",
    )
    .option("--profile <name>", "meter type whose quirks to apply")
    .option("--json", "print one line of JSON a frame")
    .option("--list", "print the meters that are read, with protocol, profile, and what each was tried with")
    .action(async (file: string | undefined, { list, ...options }: Omit<DecodeOptions, "file"> & { list?: true }) => {
      if (list) return printLines(meterLines());
      if (file === undefined) throw new GridsealError("USAGE", "decode needs the file of a capture, or --list");
      const note = printNote;
      process.exitCode = await decode({ file, ...options }, (line) => printLines([line]), note);
    });
}

/**
 * Writes every frame of the capture to `out`, a line at a time, and a summary to `note`. Returns
 * the exit status: 0 where every frame was read, 1 where one was refused or there is none. Throws
 * FILE_UNREADABLE, KEY_INVALID, CONFIGURATION_INVALID for a pulse capture that is none, and USAGE
 * for an unknown protocol or profile.
 */
export async function decode(
  options: DecodeOptions,
  out: (line: string) => void,
  note: (line: string) => void = () => {},
): Promise<number> {
  const readerOptions = await readerOptionsOf(options);
  const named = options.protocol === undefined ? undefined : protocolOf(options.protocol);
  const capture = await readCapture(options.file);
  const protocol = named ?? detectProtocol(capture, readerOptions);
  const frames = new FrameList(options.json === true ? printJson : printTable, out);
  if (protocol !== undefined) {
    readAll(protocol, capture, options.file, readerOptions, (outcomes) => frames.add(outcomes));
  }
  frames.end((someAreRefused) => refusalOf(capture, options.file, named, someAreRefused, readerOptions));
  if (options.json !== true) note(frames.summary());
  return frames.refused === 0 ? 0 : 1;
}

/**
 * Why nothing was read, in one line: what the capture is, or that it is nothing that is known.
 * Undefined where the refused frames say it, as those of the protocol that is found from the bytes
 * do, named or not.
 */
function refusalOf(
  capture: Uint8Array,
  file: string,
  named: Protocol | undefined,
  someAreRefused: boolean,
  options: ReaderOptions,
): Shown | undefined {
  const foreign = foreignCapture(capture);
  if (foreign !== undefined) return { ok: false, protocol: named ?? "unknown", ...foreign };
  const found = detectProtocol(capture, options);
  if (someAreRefused && found !== undefined && found === (named ?? found)) return undefined;
  const hint = found === undefined || found === (named ?? found) ? "" : `; they may be ${found}`;
  const known = protocols.filter((candidate) => candidate !== "pulse").join(", ");
  const what = named === undefined ? `no protocol that is known (${known})` : "no frame of this protocol";
  const detail = `${what} in the ${capture.length} bytes of ${file === "-" ? "standard input" : file}${hint}`;
  return { ok: false, protocol: named ?? "unknown", reason: "no-frame", detail };
}

function readAll(
  protocol: Protocol,
  capture: Uint8Array,
  file: string,
  options: ReaderOptions,
  show: (outcomes: readonly Outcome[]) => void,
): void {
  if (protocol === "pulse") {
    const { pulse, pulses_ms } = parsePulseCapture(capture, file);
    const reader = createReader(protocol, { ...options, pulse });
    for (const uptime_ms of pulses_ms) show(reader.push(Uint8Array.of(1), uptime_ms));
    return;
  }
  const reader = createReader(protocol, options);
  for (let start = 0; start < capture.length; start += chunkBytes) {
    show(reader.push(capture.subarray(start, start + chunkBytes), 0));
  }
  show(reader.end());
}

/** Logs of readouts often begin with the data block: a capture is one from its first byte. */
async function readerOptionsOf({ keyFile, acceptUnauthenticated, profile }: DecodeOptions): Promise<ReaderOptions> {
  if (profile !== undefined && !profileNames.includes(profile)) {
    const known = profileNames.join(", ");
    throw new GridsealError("USAGE", `unknown meter profile ${profile}: expected ${known}`);
  }
  return {
    headless: true,
    crypto: nodeMeterCrypto,
    ...(keyFile !== undefined && { keys: await readMeterKeys(keyFile) }),
    ...(acceptUnauthenticated !== undefined && { acceptUnauthenticated }),
    ...(profile !== undefined && { profile }),
  };
}

const chunkBytes = 64 * 1024;

function protocolOf(name: string): Protocol {
  const protocol = protocols.find((candidate) => candidate === name);
  if (protocol !== undefined) return protocol;
  throw new GridsealError("USAGE", `unknown protocol ${name}: expected ${protocols.join(", ")}`);
}

function printJson(frame: number, outcome: Shown, out: (line: string) => void): void {
  const { ok, protocol } = outcome;
  if (!outcome.ok) {
    out(JSON.stringify({ frame, protocol, ok, reason: outcome.reason, detail: outcome.detail }));
    return;
  }
  const { meter, time_s, flags } = outcome;
  const head = JSON.stringify({ frame, protocol, ok, meter, time: time_s ?? null }).slice(0, -1);
  const doubts = flags.length === 0 ? "" : `,"flags":${JSON.stringify(flags)}`;
  out(`${head},"registers":[${outcome.registers.map(registerJson).join(",")}]${doubts}}`);
}

/** By hand, for JSON.stringify refuses a bigint and JSON itself does not. */
function registerJson({ obis, value, scaler, unit, age }: Register): string {
  const name = unitName(unit);
  const tail = age === undefined ? "" : `,"age":${age}`;
  return `{"obis":"${formatObis(obis)}","value":${value},"scaler":${scaler},"unit":${JSON.stringify(name)}${tail}}`;
}

function printTable(frame: number, outcome: Shown, out: (line: string) => void): void {
  if (!outcome.ok) {
    out(`frame ${frame}  ${outcome.protocol}  REFUSED ${outcome.reason}: ${outcome.detail}`);
    return;
  }
  const time = outcome.time_s === undefined ? "without a time" : new Date(outcome.time_s * 1000).toISOString();
  out(`frame ${frame}  ${outcome.protocol}  meter ${outcome.meter}  ${time}`);
  if (outcome.flags.length > 0) out(`  doubts: ${outcome.flags.join(", ")}`);
  for (const line of tableOf(outcome)) out(line);
}

function tableOf({ registers }: Reading): readonly string[] {
  const quantities = registers.map(({ value, scaler }) => decimal(value, scaler));
  const width = Math.max(0, ...quantities.map((quantity) => quantity.length));
  return registers.map(({ obis, unit, age }, index) => {
    const captured = age === undefined ? "" : `  ${age} s before`;
    return `  ${formatObis(obis).padEnd(18)} ${quantities[index]!.padStart(width)} ${unitName(unit)}${captured}`.trimEnd();
  });
}

/** The meters that are read, a line each, in columns. */
export function meterLines(): readonly string[] {
  return table(["MAKER", "TYPE", "COUNTRY", "PROTOCOL", "PROFILE", "TRIED WITH"], meterTypes.map(cellsOf));
}
