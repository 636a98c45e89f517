// An M-Bus port, whatever its frames carry: DLMS push of customer ports (EN 13757-1), data records of heat, water, gas and electricity
// meters (EN 13757-3), the fixed structure of old ones, and AMIS of Upper Austria, whose records are encrypted. It listens, or asks one meter; a meter that waits for an
// acknowledgement before it says more, as AMIS does, gets it.
//
// Flags beside those of telegram.ts and of DLMS: `unauthenticated` encrypted records, for which nothing vouches; `registers-left-out` the
// rest of an answer in several telegrams did not come.

import { createMbusAssembler } from "../dlms/assembly.js";
import { type DlmsOptions, MessageReader } from "../dlms/reader.js";
import { createGathering } from "../gathering.js";
import { joined } from "../joined.js";
import { centralEuropeanOffset_s } from "../p1/time.js";
import type { PortAction } from "../port-action.js";
import type { MeterReader, Outcome, ReaderCounters, RefusalReason } from "../reader.js";
import { createTally } from "../tally.js";
import {
  fixedBytes,
  fixedLeastFirst,
  fixedMeter,
  fixedStructure,
  fixedStructureReversed,
  gatherFixed,
} from "./fixed.js";
import { createMbusFramer, type MbusCut, type MbusFrame } from "./frame.js";
import { MbusMaster, type MbusRequest } from "./master.js";
import {
  gatherTelegram,
  headerOf,
  leastFirst,
  longHeader,
  longHeaderReversed,
  type MbusHeader,
  type MbusStatement,
  noHeader,
  shortHeader,
} from "./telegram.js";

export interface MbusOptions extends DlmsOptions {
  /** Whom to ask and how often; absent to listen alone. */
  readonly mbus?: MbusRequest;
  /** What the winter time of the meter's zone is ahead of UTC; 3600 by default. */
  readonly zoneOffset_s?: number;
}

/** An answer of which more telegrams are to come. */
interface Pending {
  readonly meter: string;
  readonly statement: MbusStatement;
  readonly flags: readonly string[];
  readonly frames: readonly Uint8Array[];
  readonly until_ms: number;
}

/** Records in the clear, or why there are none. */
type Opened = { readonly bytes: Uint8Array; readonly start: number; readonly flags: readonly string[] } | Refused;

interface Refused {
  readonly reason: RefusalReason;
  readonly detail: string;
}

const registersMax = 192;
const framesMax = 16;
const pending_ms = 5000;
const amisControl = 0x5b;
/** Siemens' meters in Upper Austria say first, once a second, that they are there: a reset of this address. */
const amisAddress = 0xf0;
const reset = 0x40;
const acknowledgement = 0xe5;
const electricity = 1;
const blockBytes = 16;
const filler = 0x2f;
const amisName = "AMIS (Siemens TD-3510 and TD-3511, Upper Austria)";
/** The mode of a configuration word whose records are encrypted with AES-128-CBC (EN 13757-7). */
const cipherBlockChaining = 5;
/** DES twice, the same without an initial vector of its own, AES with other keys, TLS. */
const otherModes: readonly number[] = [2, 3, 7, 13];

/** A streaming reader with one buffer of 264 bytes. Throws a RangeError for what cannot be asked, and as the DLMS readers do. */
export function createMbusReader(options: MbusOptions = {}): MeterReader {
  return new MbusReader(options);
}

class MbusReader implements MeterReader {
  private readonly options: MbusOptions;
  private readonly framer = createMbusFramer();
  private readonly assembler = createMbusAssembler();
  private readonly tally = createTally("mbus");
  private readonly messages: MessageReader;
  private readonly master: MbusMaster | undefined;
  private pending: Pending | undefined = undefined;
  private mustAcknowledge = false;

  constructor(options: MbusOptions) {
    this.options = options;
    this.messages = new MessageReader("mbus", this.tally, options);
    this.master = options.mbus === undefined ? undefined : new MbusMaster(options.mbus);
  }

  push(bytes: Uint8Array, uptime_ms: number): Outcome[] {
    const outcomes: Outcome[] = [];
    const cuts = this.framer.push(bytes);
    for (let index = 0; index < cuts.length; index++) this.take(cuts[index]!, uptime_ms, outcomes);
    const silence = this.master?.expired(uptime_ms);
    if (this.pending !== undefined && (silence !== undefined || uptime_ms > this.pending.until_ms))
      this.close(outcomes);
    if (silence !== undefined) outcomes.push(this.tally.refuse("silent", silence));
    return outcomes;
  }

  end(): Outcome[] {
    const outcomes: Outcome[] = [];
    const cuts = this.framer.end((length) => {
      return { kind: "refused", reason: "truncated", detail: `no end of frame after ${length} bytes` };
    });
    for (let index = 0; index < cuts.length; index++) this.take(cuts[index]!, 0, outcomes);
    this.close(outcomes);
    outcomes.push(...this.messages.read(this.assembler.abandon()));
    return outcomes;
  }

  toSend(uptime_ms: number): readonly PortAction[] {
    if (this.mustAcknowledge) {
      this.mustAcknowledge = false;
      return [{ kind: "send", bytes: Uint8Array.of(acknowledgement) }];
    }
    return this.master?.toSend(uptime_ms) ?? [];
  }

  wakeAt_ms(): number {
    const closes_ms = this.pending === undefined ? Number.POSITIVE_INFINITY : this.pending.until_ms + 1;
    return Math.min(closes_ms, this.master?.wakeAt_ms() ?? closes_ms);
  }

  get counters(): ReaderCounters {
    return this.tally.counters(this.framer.noiseBytes);
  }

  private take(cut: MbusCut, uptime_ms: number, outcomes: Outcome[]): void {
    if (cut.kind === "acknowledged") this.master?.acknowledged();
    else if (cut.kind === "short") {
      // The echo of a question of ours, or another master's, or a meter that begins.
      if (this.master === undefined && cut.control === reset && cut.address === amisAddress)
        this.mustAcknowledge = true;
    } else if (cut.kind === "refused") {
      outcomes.push(this.tally.refuse(cut.reason, cut.detail));
      outcomes.push(...this.messages.read(this.assembler.abandon()));
    } else if (isOfRecords(cut.control)) {
      // What is pending of a push is not completed any more.
      outcomes.push(...this.messages.read(this.assembler.abandon()));
      this.takeRecords(cut, uptime_ms, outcomes);
    } else outcomes.push(...this.messages.read(this.assembler.take(cut)));
  }

  private takeRecords(frame: MbusFrame, uptime_ms: number, outcomes: Outcome[]): void {
    if (frame.control === amisControl && this.master === undefined) this.mustAcknowledge = true;
    const refused = this.readRecords(frame, uptime_ms, outcomes);
    if (refused === undefined) return;
    this.master?.answered(false);
    this.close(outcomes);
    outcomes.push(this.tally.refuse(refused.reason, refused.detail));
  }

  /** Why the frame is refused, or undefined. */
  private readRecords(taken: MbusFrame, uptime_ms: number, outcomes: Outcome[]): Refused | undefined {
    const { bytes: frame, address, control, information } = taken;
    if (isFixed(control)) return this.readFixed(taken, outcomes);
    const bytes = control === longHeaderReversed ? leastFirst(information) : information;
    if (typeof bytes === "string") return malformed(bytes);
    const header = headerOf(control, bytes);
    if (header === undefined) return malformed("its header is cut off");
    const opened = this.open(control, header, bytes);
    if ("reason" in opened) return opened;
    const meter = header.meter === "" ? `mbus-${address}` : header.meter;
    if (this.pending !== undefined && this.pending.meter !== meter) this.close(outcomes);
    const { flags = opened.flags, frames = [] } = this.pending ?? {};
    const statement = this.pending?.statement ?? newStatement();
    const { zoneOffset_s = centralEuropeanOffset_s } = this.options;
    // Its status says something else.
    const ofAmis = control === amisControl ? { ...header, medium: electricity, status: 0 } : header;
    const gathered = gatherTelegram(statement, ofAmis, opened.bytes, opened.start, zoneOffset_s);
    if (typeof gathered === "string") return malformed(gathered);
    this.pending = { meter, statement, flags, frames: [...frames, frame], until_ms: uptime_ms + pending_ms };
    const isLast = !gathered.more || frames.length + 1 >= framesMax;
    this.master?.answered(!isLast);
    if (isLast) this.close(outcomes, !gathered.more);
    return undefined;
  }

  /** Two counters, and never another telegram. */
  private readFixed({ bytes: frame, control, information }: MbusFrame, outcomes: Outcome[]): Refused | undefined {
    if (information.length !== fixedBytes)
      return malformed(`its fixed structure has ${information.length} bytes where ${fixedBytes} belong`);
    const bytes = control === fixedStructureReversed ? fixedLeastFirst(information) : information;
    this.close(outcomes);
    const statement = newStatement();
    gatherFixed(statement, bytes);
    this.pending = { meter: fixedMeter(bytes), statement, flags: [], frames: [frame], until_ms: 0 };
    this.master?.answered(false);
    this.close(outcomes, true);
    return undefined;
  }

  /** The answer so far becomes a reading; `isWhole` where nothing of it is missing. */
  private close(outcomes: Outcome[], isWhole = false): void {
    const { pending } = this;
    if (pending === undefined) return;
    this.pending = undefined;
    const { meter, frames } = pending;
    const { gathering, clock_s, unknownObjects } = pending.statement;
    if (clock_s === undefined) gathering.flag("no-clock");
    if (!isWhole) gathering.flag("registers-left-out");
    this.tally.read(unknownObjects);
    const { registers } = gathering;
    const flags = [...gathering.flags, ...pending.flags];
    outcomes.push({ ok: true, protocol: "mbus", meter, time_s: clock_s, registers, flags, frame: joined(frames) });
  }

  /** Removes the encryption, where there is one. */
  private open(control: number, header: MbusHeader, bytes: Uint8Array): Opened {
    const start = header.length;
    if (control === amisControl) return this.decipher(header, bytes, bytes.length - start, amisName);
    const mode = (header.configuration >> 8) & 31;
    if (mode === cipherBlockChaining && header.length > blockBytes / 2) {
      const blocks = (header.configuration >> 4) & 15;
      return this.decipher(header, bytes, blocks * blockBytes, `meter ${header.meter}`);
    }
    // Meters older than encryption have anything there.
    if (!otherModes.includes(mode)) return { bytes, start, flags: [] };
    return { reason: "unsupported", detail: `unsupported encryption: mode ${mode} of meter ${header.meter}` };
  }

  /** AES-128-CBC; the beginning of what is deciphered, two fillers, shows that the key is right. */
  private decipher(header: MbusHeader, bytes: Uint8Array, length: number, whose: string): Opened {
    const { crypto, keys } = this.options;
    const start = header.length;
    if (length < blockBytes || length % blockBytes !== 0 || start + length > bytes.length)
      return malformed("its encrypted records are no whole blocks");
    if (crypto === undefined || keys === undefined)
      return { reason: "locked", detail: `the records of ${whose} are encrypted and no key is given` };
    const vector = new Uint8Array(blockBytes).fill(bytes[8]!);
    // Maker, number, version and medium; then the access number.
    vector.set(bytes.subarray(4, 6), 0);
    vector.set(bytes.subarray(0, 4), 2);
    vector.set(bytes.subarray(6, 8), 6);
    const plain = crypto.aesCbcDecrypt(keys.encryption, vector, bytes.subarray(start, start + length));
    if (plain[0] !== filler || plain[1] !== filler)
      return { reason: "decryption", detail: `the key of ${whose} is another, or the frame was changed` };
    const opened = bytes.slice();
    opened.set(plain, start);
    return { bytes: opened, start, flags: ["unauthenticated"] };
  }
}

function isOfRecords(control: number): boolean {
  return (
    control === longHeader ||
    control === longHeaderReversed ||
    control === noHeader ||
    control === shortHeader ||
    control === amisControl ||
    isFixed(control)
  );
}

function isFixed(control: number): boolean {
  return control === fixedStructure || control === fixedStructureReversed;
}

function newStatement(): MbusStatement {
  return { gathering: createGathering(registersMax), clock_s: undefined, unknownObjects: 0 };
}

function malformed(detail: string): Refused {
  return { reason: "malformed", detail };
}
