// The customer port of French meters, TIC: Linky's two modes, and the meters before it (Enedis-NOI-CPT_54E, section 5.3). Groups of LF,
// label, value, check, CR; in standard mode some have a time of their own. The check has six bits: what it cannot notice, characters
// that are none and digits that are letters, refuses the frame.
//
// Flags: `no-clock` no time, or one of a clock that the meter itself doubts; `not-understood LABEL` a label that is not known;
// `capture-invalid OBIS`, `capture-ahead OBIS` as in p1/parse.ts; `duplicate OBIS`.

import { createGathering, type Gathering } from "../gathering.js";
import { parseObis } from "../obis.js";
import { centralEuropeanOffset_s, type P1Time, scanP1Time } from "../p1/time.js";
import { onlyListens, type PortWork } from "../port-action.js";
import type { MeterReader, Outcome, ReaderCounters } from "../reader.js";
import { createTally } from "../tally.js";
import { unitNone } from "../unit.js";
import { type TicCut, TicFramer } from "./frame.js";
import { isOther, type Meaning, meaningOf, tariffOf } from "./labels.js";

export interface TicOptions {
  /** What the winter time of the meter's zone is ahead of UTC; 3600 by default, other beyond the sea. */
  readonly zoneOffset_s?: number;
}

/** A frame while it is read. */
interface Statement {
  readonly gathering: Gathering;
  meter: string;
  time_s: number | undefined;
  unknownObjects: number;
}

/** One group, its check right. */
interface Group {
  readonly label: string;
  /** Of the value, in standard mode where it has one; empty elsewhere. */
  readonly moment: string;
  readonly value: string;
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const tab = 0x09;
const space = 0x20;
const checkMask = 0x3f;
const labelLengthMax = 9;
const momentLength = 13;
const digitsMax = 12;
const wrongCheck = "has a wrong check";
const idLength = 12;
const registersMax = 96;
const stateObis = "0-0:96.5.0";
const tariffObis = "0-0:96.14.0";
/** Of the status word. */
const clockIsDoubted = 0x10000;

/** A streaming reader with one buffer of 3 kB. */
export function createTicReader(options: TicOptions = {}): MeterReader {
  return new TicReader(options);
}

class TicReader implements MeterReader {
  readonly toSend: PortWork["toSend"] = onlyListens.toSend;
  readonly wakeAt_ms: PortWork["wakeAt_ms"] = onlyListens.wakeAt_ms;
  private readonly framer = new TicFramer();
  private readonly tally = createTally("tic");
  private readonly zoneOffset_s: number;
  /** Short frames do not always say whose they are. */
  private lastMeter = "";

  constructor({ zoneOffset_s = centralEuropeanOffset_s }: TicOptions) {
    this.zoneOffset_s = zoneOffset_s;
  }

  push(bytes: Uint8Array): Outcome[] {
    return this.framer.push(bytes).map((cut) => this.outcomeOf(cut));
  }

  end(): Outcome[] {
    return this.framer.end().map((cut) => this.outcomeOf(cut));
  }

  get counters(): ReaderCounters {
    return this.tally.counters(this.framer.noiseBytes);
  }

  private outcomeOf(cut: TicCut): Outcome {
    if (cut.kind === "refused") return this.tally.refuse(cut.reason, cut.detail);
    const { bytes } = cut;
    const groups: Group[] = [];
    const broken = readGroups(bytes, groups);
    if (broken !== undefined) return this.tally.refuse(broken.reason, broken.detail);
    const gathering = createGathering(registersMax);
    const statement: Statement = { gathering, meter: "", time_s: undefined, unknownObjects: 0 };
    const fault = this.gatherAll(statement, groups);
    if (fault !== undefined) return this.tally.refuse("malformed", fault);
    this.tally.read(statement.unknownObjects);
    if (statement.meter !== "") this.lastMeter = statement.meter;
    const { registers, flags } = gathering;
    const { time_s } = statement;
    return { ok: true, protocol: "tic", meter: this.lastMeter, time_s, registers, flags, frame: bytes };
  }

  /** Why the frame is refused, or undefined. The clock comes first: ages are counted from it. */
  private gatherAll(statement: Statement, groups: readonly Group[]): string | undefined {
    const clock = this.clockOf(groups);
    if (clock.kind === "time") statement.time_s = clock.time_s;
    else statement.gathering.flag("no-clock");
    for (let index = 0; index < groups.length; index++) {
      const fault = this.gather(statement, groups[index]!);
      if (fault !== undefined) return `${groups[index]!.label} ${fault}`;
    }
    return undefined;
  }

  /** None where the season is in lower case, or the status word says so: the meter doubts its clock. */
  private clockOf(groups: readonly Group[]): P1Time {
    let clock: P1Time = { kind: "null" };
    for (let index = 0; index < groups.length; index++) {
      const { label, moment, value } = groups[index]!;
      if (label === "DATE") clock = this.timeOf(moment);
      if (label === "STGE" && (Number.parseInt(value, 16) & clockIsDoubted) !== 0) return { kind: "null" };
    }
    return clock;
  }

  private gather(statement: Statement, { label, moment, value }: Group): string | undefined {
    const { gathering } = statement;
    switch (label) {
      case "DATE":
        return moment !== "" && value === "" ? undefined : "states no time";
      case "ADCO":
      case "ADSC":
      case "ADS":
        if (value.length !== idLength || !isDigits(value)) return "states no address of twelve digits";
        statement.meter = value;
        return undefined;
      case "STGE":
        return gatherState(gathering, value);
      case "PTEC":
        return gatherTariff(gathering, value);
      default:
    }
    const meaning = meaningOf(label);
    if (meaning !== undefined) return this.gatherNumber(statement, meaning, moment, value);
    if (!isOther(label)) {
      statement.unknownObjects++;
      gathering.flag("not-understood", label);
    }
    return undefined;
  }

  private gatherNumber(
    { gathering, time_s }: Statement,
    { obis, unit, scaler }: Meaning,
    moment: string,
    digits: string,
  ): string | undefined {
    if (!isDigits(digits)) return `states no number: ${digits}`;
    const register = { obis, value: Number(digits), scaler, unit };
    if (moment === "") {
      gathering.add(register);
      return undefined;
    }
    const captured = this.timeOf(moment);
    if (captured.kind !== "time") {
      gathering.flag("capture-invalid", obis);
      return undefined;
    }
    const age = time_s === undefined ? 0 : time_s - captured.time_s;
    if (age < 0) gathering.flag("capture-ahead", obis);
    gathering.add(age > 0 ? { ...register, age } : register);
    return undefined;
  }

  /** `E230720132849`: E summer, H winter. */
  private timeOf(moment: string): P1Time {
    const season = moment.charAt(0);
    if (season !== "E" && season !== "H") return { kind: "invalid" };
    const text = `${moment.slice(1)}${season === "E" ? "S" : "W"}`;
    const bytes = new Uint8Array(text.length);
    for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
    return scanP1Time(bytes, 0, bytes.length, this.zoneOffset_s);
  }
}

function gatherState(gathering: Gathering, value: string): string | undefined {
  if (value.length !== 8 || !isHexText(value)) return "states no word of eight hex digits";
  const state = Number.parseInt(value, 16);
  gathering.add({ obis: parseObis(stateObis), value: state, scaler: 0, unit: unitNone });
  return undefined;
}

/** Four characters: two letters and two points, or `HCJB` and its like. */
function gatherTariff(gathering: Gathering, value: string): string | undefined {
  const tail = value.slice(2);
  const isName = tail === ".." || tail === "JB" || tail === "JW" || tail === "JR";
  if (!isName || !isCapital(value, 0) || !isCapital(value, 1)) return `states no tariff: ${value}`;
  const obis = parseObis(tariffObis);
  const tariff = tariffOf(value);
  if (tariff === undefined) gathering.flag("not-understood", obis);
  else gathering.add({ obis, value: tariff, scaler: 0, unit: unitNone });
  return undefined;
}

/** Reads the groups between STX and ETX, which fill what is between them; returns why they do not. */
function readGroups(
  bytes: Uint8Array,
  groups: Group[],
): { readonly reason: "crc" | "malformed"; readonly detail: string } | undefined {
  const end = bytes.length - 1;
  let mode = 0;
  let position = 1;
  while (position < end) {
    let last = position + 1;
    while (last < end && bytes[last] !== carriageReturn && bytes[last] !== lineFeed) last++;
    const separator = bytes[last - 2]!;
    const fault =
      faultOf(bytes, position, last) ?? (mode !== 0 && mode !== separator ? "is of the other mode" : undefined);
    const group = fault === undefined ? groupIn(bytes, position + 1, last - 2, separator) : undefined;
    if (group === undefined) {
      const detail = `the group at byte ${position} ${fault ?? "is no label and value"}`;
      return { reason: groups.length > 0 || fault === wrongCheck ? "crc" : "malformed", detail };
    }
    mode = separator;
    groups.push(group);
    position = last + 1;
  }
  return groups.length > 0 ? undefined : { reason: "malformed", detail: "it has no group" };
}

/** What is wrong with the group from its LF to its CR; separator and check come before that. */
function faultOf(bytes: Uint8Array, first: number, last: number): string | undefined {
  const separator = bytes[last - 2]!;
  if (bytes[first] !== lineFeed || bytes[last] !== carriageReturn) return "has other line ends";
  if (last - first < 5 || (separator !== tab && separator !== space)) return "has no check";
  const sum = sumOf(bytes, first + 1, separator === tab ? last - 1 : last - 2);
  if (sum < 0) return "has other bytes than characters";
  return bytes[last - 1] === (sum & checkMask) + space ? undefined : wrongCheck;
}

/** -1 where a byte is no character; the sum otherwise. */
function sumOf(bytes: Uint8Array, start: number, end: number): number {
  let sum = 0;
  for (let index = start; index < end; index++) {
    const byte = bytes[index]!;
    if ((byte < space && byte !== tab) || byte > 0x7e) return -1;
    sum += byte;
  }
  return sum;
}

/** Label and value, in standard mode with a time between them where there are three. */
function groupIn(bytes: Uint8Array, start: number, end: number, separator: number): Group | undefined {
  const first = bytes.indexOf(separator, start);
  if (first < 0 || first >= end || first === start || first - start > labelLengthMax) return undefined;
  for (let index = start; index < first; index++) if (!isOfLabel(bytes[index]!)) return undefined;
  const label = textOf(bytes, start, first);
  const second = separator === tab ? bytes.indexOf(tab, first + 1) : -1;
  if (second < 0 || second >= end) return { label, moment: "", value: textOf(bytes, first + 1, end) };
  const third = bytes.indexOf(tab, second + 1);
  if (third >= 0 && third < end) return undefined;
  // An I whose highest bit was lost is a tab, which the check does not notice.
  const moment = textOf(bytes, first + 1, second);
  return isMoment(moment) ? { label, moment, value: textOf(bytes, second + 1, end) } : undefined;
}

/** Capitals, digits, plus and minus. */
function isOfLabel(byte: number): boolean {
  return (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x30 && byte <= 0x39) || byte === 0x2b || byte === 0x2d;
}

function textOf(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  for (let index = start; index < end; index++) text += String.fromCharCode(bytes[index]!);
  return text;
}

function isDigits(text: string): boolean {
  if (text.length === 0 || text.length > digitsMax) return false;
  for (let index = 0; index < text.length; index++) if (!isDigit(text.charCodeAt(index))) return false;
  return true;
}

/** A season's letter or a space, and twelve digits. */
function isMoment(text: string): boolean {
  const season = text.charAt(0);
  const isSeason = season === "E" || season === "H" || season === "e" || season === "h" || season === " ";
  return isSeason && text.length === momentLength && isDigits(text.slice(1));
}

function isHexText(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (!isDigit(code) && (code < 0x41 || code > 0x46)) return false;
  }
  return true;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function isCapital(text: string, index: number): boolean {
  const code = text.charCodeAt(index);
  return code >= 0x41 && code <= 0x5a;
}
