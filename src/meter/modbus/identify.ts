// Finds out which map a Modbus meter follows. Many types say in a register of their own what they are, or at least their own address;
// what they say is believed once voltage and frequency are where the map has them. Of a meter that says nothing, the first map is taken
// in whose places both are: such a find is an assumption. Carlo Gavazzi's two maps differ too little for that.

import type { ModbusQuestion } from "./frame.js";
import { gatheringOfMap, isOnePhase, readMap, tableOf } from "./maps.js";
import { type ModbusTable, modbusMaps } from "./tables.js";

/** The map of a meter; `named` where a register of its own says so. */
export interface MapFound {
  readonly table: ModbusTable;
  readonly named: boolean;
}

/**
 * Function, first register and number, then what an answer may hold, and whose it is: `70` a number or `47-4f` one of a range, `'B2` a
 * text, `@` the meter's address, `clock` the twelve bytes of EMI's time, which no other meter has in one register.
 */
const signs: readonly string[] = [
  "3 fc02 1 20=sdm120 2b=sdm120 70=sdm630 79=sdm630 84=sdm630 87-89=sdm630",
  "4 1 1 clock=emi",
  "4 b 1 47-4f=gavazzi-em24 14a-15d=gavazzi-em340",
  "3 8960 6 'A4=abb-b23 'B2=abb-b23",
  "3 31 20 'iEM3=schneider-iem3000",
  "4 1 8 '7M.38=finder-7m38 '7M.24=finder-7m24",
  "3 fa01 27 '7KM22=siemens-pac2200 '7KM21=siemens-pac2200",
  "3 2 1 @=pzem-016",
  "3 2e 1 @=chint-dtsu666",
  "3 4003 1 @=inepro-pro380",
  "3 110 1 @=orno-we514",
];
/** Not told by what they measure: a part of another map, of which nearly each place is another's too, or read by their sign alone. */
const neverAssumed: readonly string[] = ["sdm120", "gavazzi-em24", "gavazzi-em340", "finder-7m24", "emi"];
const onePhase = "sdm120";
const threePhases = "sdm630";
const clockBytes = 12;
const V = 35;
const HZ = 44;
const voltageMin_V = 80;
const voltageMax_V = 500;
const frequencyMin_Hz = 45;
const frequencyMax_Hz = 65;

/** The questions of one search, in turn: `question` until there is none, each followed by `answered`. */
export class MapSearch {
  private readonly address: number;
  private step = 0;
  /** What a sign has named, and is still to be seen. */
  private candidate: ModbusTable | undefined = undefined;
  /** The meter has answered at all. */
  heard = false;

  constructor(address: number) {
    this.address = address;
  }

  question(): ModbusQuestion | undefined {
    if (this.candidate !== undefined) return this.tellingQuestion(this.candidate);
    if (this.step < signs.length) {
      const [operation, start, count] = signs[this.step]!.split(" ") as [string, string, string];
      return this.ask(Number(operation), Number.parseInt(start, 16), Number(count));
    }
    while (neverAssumed.includes(modbusMaps[this.step - signs.length] ?? "")) this.step++;
    const map = modbusMaps[this.step - signs.length];
    return map === undefined ? undefined : this.tellingQuestion(tableOf(map));
  }

  /** Takes the registers that were answered to the question, or that there are none. */
  answered(registers: Uint8Array | undefined): MapFound | undefined {
    const { candidate } = this;
    const asked = this.question();
    if (asked === undefined) return undefined;
    if (candidate === undefined && this.step < signs.length) {
      const map = registers === undefined ? undefined : this.namedBy(signs[this.step]!, registers);
      if (map === "emi") return { table: tableOf(map), named: true };
      this.candidate = map === undefined ? undefined : tableOf(map);
      if (map === undefined) this.step++;
      return undefined;
    }
    const table = candidate ?? tableOf(modbusMaps[this.step - signs.length]!);
    this.candidate = undefined;
    this.step++;
    const seen = registers === undefined ? undefined : seenIn(table, asked, registers);
    return seen === undefined ? undefined : { table: seen, named: candidate !== undefined };
  }

  private ask(operation: number, start: number, count: number): ModbusQuestion {
    return { address: this.address, operation, start, count };
  }

  /** The question of the table in whose answer the frequency is; in all of them the voltage is too. */
  private tellingQuestion({ rows, asked, operation }: ModbusTable): ModbusQuestion {
    const frequency = rows.split(" ").find((row) => row.indexOf(",F,") > 0)!;
    const place = Number.parseInt(frequency, 16);
    const [start, count] = asked.find(([first, length]) => place >= first && place < first + length)!;
    return this.ask(operation, start, count);
  }

  private namedBy(sign: string, registers: Uint8Array): string | undefined {
    const rules = sign.split(" ").slice(3);
    const first = registers[0]! * 256 + registers[1]!;
    for (const rule of rules) {
      const [held, map] = rule.split("=") as [string, string];
      if (this.holds(held, first, registers)) return map;
    }
    return undefined;
  }

  private holds(held: string, first: number, registers: Uint8Array): boolean {
    if (held === "@") return first === this.address;
    if (held === "clock") return registers.length === clockBytes;
    if (held.charAt(0) === "'") return String.fromCharCode(...registers).indexOf(held.slice(1)) >= 0;
    const [least, most = least] = held.split("-") as [string, string?];
    return first >= Number.parseInt(least, 16) && first <= Number.parseInt(most, 16);
  }
}

/** The table where voltage and frequency are in its places; of a one-phase meter of Eastron that of one phase. */
function seenIn(table: ModbusTable, question: ModbusQuestion, registers: Uint8Array): ModbusTable | undefined {
  const gathering = gatheringOfMap();
  if (readMap(table, question, registers, gathering).kind !== "read") return undefined;
  const has = (unit: number, least: number, most: number): boolean =>
    gathering.registers.some((register) => {
      const size = Number(register.value) * 10 ** register.scaler;
      return register.unit === unit && size >= least && size <= most;
    });
  if (!has(V, voltageMin_V, voltageMax_V) || !has(HZ, frequencyMin_Hz, frequencyMax_Hz)) return undefined;
  return table.name === threePhases && isOnePhase(gathering) ? tableOf(onePhase) : table;
}
