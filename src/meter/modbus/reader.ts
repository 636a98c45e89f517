// A Modbus RTU meter: asks for its registers and reads the answers, or listens to another master's. An answer does not say what its
// registers mean, nor whose they are: it is read by the map of the meter that is asked or named. Where nobody named one, what comes is
// taken for an SDM630's as long as it can be, and a number alone only of a meter that has shown a voltage or a frequency before; but an
// answer that is wider than its registers, as EMI's are, is read as one of those.
//
// A meter whose map is `auto` is first asked what it is (identify.ts).
//
// Flags: `assumed-scale` the map was told by what the meter measures alone; `no-clock` the meter states no time; `not-a-number OBIS` a value that is none, left out; `registers-left-out` one of several
// questions was not answered.

import type { Gathering } from "../gathering.js";
import { joined } from "../joined.js";
import type { PortAction } from "../port-action.js";
import { profileOf } from "../profiles.js";
import type { MeterReader, Outcome, ReaderCounters, Refusal } from "../reader.js";
import { createTally } from "../tally.js";
import { createModbusFramer, encodeQuestion, type ModbusCut, type ModbusFramer, type ModbusQuestion } from "./frame.js";
import { type MapFound, MapSearch } from "./identify.js";
import { answerBytes, gatheringOfMap, isOnePhase, type MapReading, readMap, tableOf, usualMap } from "./maps.js";
import type { ModbusTable } from "./tables.js";

export interface ModbusOptions {
  /** Whom to ask and how often; absent to listen alone. */
  readonly modbus?: {
    /** 1 to 247, as set at the meter. */
    readonly address: number;
    readonly interval_ms: number;
    /**
     * Whose map the registers follow, a name of tables.ts, or `auto` to ask the meter; that of the profile, else the SDM630's, where it is
     * not said.
     */
    readonly map?: string;
  };
  /** A meter type of profiles.ts, whose map the registers follow. */
  readonly profile?: string;
}

/** The map of a meter that is to be asked for it. */
export const askedMap = "auto";

const answer_ms = 1000;
/** Of a question that most meters do not know. */
const sign_ms = 500;
/** What is known of a unit whose map nobody named: that it is of the map, of another, or of EMI. */
const ofMap = 1;
const ofAnother = 2;
const ofEmi = 3;
const unitsMax = 256;
const emi = "emi";

/** The answers of one turn. */
interface Turn {
  readonly gathering: Gathering;
  readonly frames: Uint8Array[];
  clock_s: number | undefined;
  /** The question that is due next, or waited for. */
  asked: number;
  missing: boolean;
}

/** A reader that asks at once and then every interval. Throws a RangeError for an address that no meter has, or an unknown map. */
export function createModbusReader(options: ModbusOptions = {}): MeterReader {
  return new ModbusReader(options);
}

class ModbusReader implements MeterReader {
  private readonly address: number | undefined;
  private readonly interval_ms: number;
  private table: ModbusTable;
  /** The map is that of the meter that is asked, or was named. */
  private readonly isKnown: boolean;
  private readonly units: Uint8Array;
  private readonly framer: ModbusFramer;
  private readonly tally = createTally("modbus");
  private turn: Turn | undefined = undefined;
  /** The map is still to be found. */
  private isSought: boolean;
  private search: MapSearch | undefined = undefined;
  private isAssumed = false;
  private next_ms = 0;
  private deadline_ms: number | undefined = undefined;

  constructor({ modbus, profile }: ModbusOptions) {
    if (modbus !== undefined && !(Number.isInteger(modbus.address) && modbus.address >= 1 && modbus.address <= 247)) {
      throw new RangeError(`Modbus address: expected 1 to 247, got ${modbus.address}`);
    }
    const named = modbus?.map ?? (profile === undefined ? undefined : profileOf(profile).modbusMap);
    this.address = modbus?.address;
    this.interval_ms = modbus?.interval_ms ?? 0;
    this.isSought = named === askedMap;
    this.table = tableOf(this.isSought ? usualMap : (named ?? usualMap));
    this.isKnown = modbus !== undefined || named !== undefined;
    this.units = new Uint8Array(this.isKnown ? 0 : unitsMax);
    const wide = tableOf(emi);
    this.framer = createModbusFramer((question, bytes) => {
      const table = this.isKnown && !this.isSought ? this.table : wide;
      return bytes === 2 * question.count || bytes === answerBytes(table, question);
    });
  }

  push(bytes: Uint8Array, uptime_ms: number): Outcome[] {
    const outcomes: Outcome[] = [];
    const cuts = this.framer.push(bytes);
    for (let index = 0; index < cuts.length; index++) this.take(cuts[index]!, outcomes);
    if (this.deadline_ms !== undefined && uptime_ms > this.deadline_ms) {
      this.deadline_ms = undefined;
      if (this.search !== undefined) this.goOn(this.search, undefined, outcomes);
      else {
        outcomes.push(this.tally.refuse("silent", `meter ${this.address} did not answer within ${answer_ms} ms`));
        this.close(outcomes, true);
      }
    }
    return outcomes;
  }

  end(): Outcome[] {
    const outcomes: Outcome[] = [];
    const cuts = this.framer.end((length) => {
      return { kind: "refused", reason: "truncated", detail: `no end of answer after ${length} bytes` };
    });
    for (let index = 0; index < cuts.length; index++) this.take(cuts[index]!, outcomes);
    return outcomes;
  }

  toSend(uptime_ms: number): readonly PortAction[] {
    if (this.address === undefined || this.deadline_ms !== undefined) return [];
    if (this.isIdle) {
      if (uptime_ms < this.next_ms) return [];
      this.next_ms = uptime_ms + this.interval_ms;
      if (this.isSought) this.search = new MapSearch(this.address);
      else this.turn = { gathering: gatheringOfMap(), frames: [], clock_s: undefined, asked: 0, missing: false };
    }
    this.deadline_ms = uptime_ms + (this.search === undefined ? answer_ms : sign_ms);
    // What is left of an earlier answer belongs to no question any more.
    this.framer.end(() => ({ kind: "refused", reason: "truncated", detail: "" }));
    const question = this.search?.question() ?? this.questionOfTurn(this.address);
    this.framer.asked(question);
    return [{ kind: "send", bytes: encodeQuestion(question) }];
  }

  wakeAt_ms(): number {
    if (this.address === undefined) return Number.POSITIVE_INFINITY;
    if (this.deadline_ms !== undefined) return Math.min(this.next_ms, this.deadline_ms + 1);
    return this.isIdle ? this.next_ms : 0;
  }

  get counters(): ReaderCounters {
    return this.tally.counters(this.framer.noiseBytes);
  }

  /** Nothing is asked before the next turn. */
  private get isIdle(): boolean {
    return this.turn === undefined && this.search === undefined;
  }

  private questionOfTurn(address: number): ModbusQuestion {
    const { asked, operation } = this.table;
    const [start, count] = asked[this.turn?.asked ?? 0]!;
    return { address, operation, start, count };
  }

  /** The question of the search is done with: most meters do not know most of them. */
  private goOn(search: MapSearch, registers: Uint8Array | undefined, outcomes: Outcome[]): void {
    this.deadline_ms = undefined;
    const found = search.answered(registers);
    if (found !== undefined) this.follow(found);
    else if (search.question() !== undefined) return;
    else if (search.heard) {
      const detail = `unsupported Modbus meter ${this.address}: it answers, and follows no map that is known`;
      outcomes.push(this.tally.refuse("unsupported", detail));
    } else outcomes.push(this.tally.refuse("silent", `meter ${this.address} answers no question`));
    this.search = undefined;
  }

  /** It is asked for its registers at once. */
  private follow({ table, named }: MapFound): void {
    this.table = table;
    this.isAssumed = !named;
    this.isSought = false;
    this.next_ms = 0;
  }

  private take(cut: ModbusCut, outcomes: Outcome[]): void {
    const { search } = this;
    if (search !== undefined && (cut.kind === "refused" || cut.question.address === this.address)) {
      search.heard = true;
      // An exception says that there is no such register.
      if (cut.kind === "refused" && cut.reason === "crc") outcomes.push(this.tally.refuse(cut.reason, cut.detail));
      this.goOn(search, cut.kind === "refused" ? undefined : cut.registers, outcomes);
      return;
    }
    if (cut.kind === "refused") {
      outcomes.push(this.tally.refuse(cut.reason, cut.detail));
      this.answered(outcomes, true);
      return;
    }
    const { question } = cut;
    if (this.address !== undefined && question.address !== this.address) {
      const detail = `meter ${question.address} was asked by another master, and is not the one to read`;
      outcomes.push(this.tally.refuse("malformed", detail));
      return;
    }
    if (this.turn === undefined) outcomes.push(this.readAlone(cut));
    else this.readOfTurn(this.turn, cut, outcomes);
  }

  /** An answer to a question of ours. */
  private readOfTurn(turn: Turn, { question, registers, bytes }: ModbusAnswer, outcomes: Outcome[]): void {
    const reading = readMap(this.table, question, registers, turn.gathering);
    if (reading.kind === "read") {
      turn.frames.push(bytes);
      turn.clock_s ??= reading.clock_s;
    } else outcomes.push(this.malformed(question, reading.detail));
    this.answered(outcomes, reading.kind !== "read");
  }

  /** An answer to a question of somebody else's. */
  private readAlone({ question, registers, bytes }: ModbusAnswer): Outcome {
    const gathering = gatheringOfMap();
    const isWide = !this.isKnown && this.isOfEmi(question, registers.length);
    const reading = readMap(isWide ? tableOf(emi) : this.table, question, registers, gathering);
    const disbelief = this.isKnown || isWide ? undefined : this.disbeliefIn(question, reading, gathering);
    if (reading.kind !== "read") return this.malformed(question, reading.detail);
    if (disbelief !== undefined) return this.malformed(question, disbelief);
    return this.readingOf(question.address, gathering, reading.clock_s, bytes);
  }

  /** Whether an answer is of EMI: it is wider than its registers, or of a meter that has answered so. */
  private isOfEmi(question: ModbusQuestion, length: number): boolean {
    const { units } = this;
    if (length !== 2 * question.count) units[question.address] = ofEmi;
    return units[question.address] === ofEmi;
  }

  /** Why what is read of a meter that nobody named is not believed; takes note of what it shows about it. */
  private disbeliefIn({ address }: ModbusQuestion, reading: MapReading, gathering: Gathering): string | undefined {
    const { units, table } = this;
    if (reading.kind === "other") units[address] = ofAnother;
    if (reading.kind !== "read") return undefined;
    if (isOnePhase(gathering)) return `it has one phase, and ${table.name} has three: its map must be named`;
    if (reading.evidence === "telling") units[address] = ofMap;
    const known = units[address];
    if (known === ofAnother) return `it has shown registers of another map than ${table.name}`;
    if (known === ofMap || reading.evidence === "some") return undefined;
    return `one number does not show that it is of ${table.name}: its map must be named`;
  }

  /** The question that was waited for is done with. */
  private answered(outcomes: Outcome[], missing: boolean): void {
    this.deadline_ms = undefined;
    const { turn } = this;
    if (turn === undefined) return;
    turn.missing ||= missing;
    turn.asked++;
    if (turn.asked >= this.table.asked.length) this.close(outcomes, turn.missing);
  }

  /** What the turn has gathered becomes a reading. */
  private close(outcomes: Outcome[], missing: boolean): void {
    const { turn, address } = this;
    this.turn = undefined;
    if (turn === undefined || address === undefined || turn.gathering.registers.length === 0) return;
    if (missing) turn.gathering.flag("registers-left-out");
    outcomes.push(this.readingOf(address, turn.gathering, turn.clock_s, joined(turn.frames)));
  }

  private readingOf(address: number, gathering: Gathering, clock_s: number | undefined, frame: Uint8Array): Outcome {
    if (clock_s === undefined) gathering.flag("no-clock");
    if (this.isAssumed) gathering.flag("assumed-scale");
    this.tally.read(0);
    const { registers, flags } = gathering;
    return { ok: true, protocol: "modbus", meter: `modbus-${address}`, time_s: clock_s, registers, flags, frame };
  }

  private malformed({ address }: ModbusQuestion, detail: string): Refusal {
    return this.tally.refuse("malformed", `meter ${address}: ${detail}`);
  }
}

type ModbusAnswer = Extract<ModbusCut, { readonly kind: "answer" }>;
