// An emulated Eastron SDM630: answers Modbus RTU questions for its input registers (function 4) with IEEE 754 floats, and says in a
// holding register (function 3) what it is. And any other meter
// at Modbus, as a memory of registers, or of values of their own widths as the Portuguese EMI has them.

import { modbusCrcOf } from "./checksums.js";
import type { HouseholdState } from "./household.js";

const meterCode = 0xfc02;
const codeOfSdm630 = 0x70;

function isFor(question: Uint8Array, operation: number, start: number, count: number): boolean {
  return [operation, start >> 8, start & 0xff, count >> 8, count & 0xff].every(
    (byte, index) => question[index + 1] === byte,
  );
}

/** The values of the places that the emulator fills, by the address of their first register. */
export function registersOf(state: HouseholdState): ReadonlyMap<number, number> {
  const { phases, power_W, consumed, returned } = state;
  const kilowattHours = (value_Ws: number): number => Math.floor(value_Ws / 3600) / 1000;
  return new Map([
    ...phases.map(({ voltage_dV }, index) => [2 * index, voltage_dV / 10] as const),
    ...phases.map(({ current_cA }, index) => [6 + 2 * index, current_cA / 100] as const),
    ...phases.map(({ power_W }, index) => [12 + 2 * index, power_W] as const),
    [0x34, power_W],
    [0x46, 50],
    [0x48, kilowattHours(consumed.low_Ws + consumed.normal_Ws)],
    [0x4a, kilowattHours(returned.low_Ws + returned.normal_Ws)],
  ]);
}

/** The answer to a question of eight bytes; undefined where it is for another meter or broken, an exception for what is not there. */
export function answerTo(question: Uint8Array, address: number, state: HouseholdState): Uint8Array | undefined {
  if (question.length !== 8 || question[0] !== address) return undefined;
  if (modbusCrcOf(question.subarray(0, 6)) !== question[6]! + 256 * question[7]!) return undefined;
  if (isFor(question, 3, meterCode, 1)) return closed([address, 3, 2, 0, codeOfSdm630]);
  if (question[1] !== 4) return closed([address, question[1]! | 0x80, 1]);
  const start = question[2]! * 256 + question[3]!;
  const count = question[4]! * 256 + question[5]!;
  if (count < 1 || count > 125) return closed([address, 0x84, 3]);
  const values = registersOf(state);
  const content = Buffer.alloc(2 * count);
  for (const [place, value] of values) {
    const offset = 2 * (place - start);
    if (offset >= 0 && offset + 4 <= content.length) content.writeFloatBE(value, offset);
  }
  return closed([address, 4, content.length, ...content]);
}

/** Bytes by the number of their first register, two a register; of a wide meter all that its register has. */
export type ModbusMemory = ReadonlyMap<number, Uint8Array>;

/** What a meter with such a memory answers; what the memory has not is zero, of a wide meter an exception. */
export function answerOf(question: Uint8Array, operation: number, memory: ModbusMemory, wide = false): Uint8Array {
  const start = question[2]! * 256 + question[3]!;
  const count = question[4]! * 256 + question[5]!;
  const address = question[0]!;
  if (question[1] !== operation) return closed([address, question[1]! | 0x80, 1]);
  if (wide) {
    const values = Array.from({ length: count }, (_, index) => memory.get(start + index));
    if (values.includes(undefined)) return closed([address, operation | 0x80, 2]);
    const content = values.flatMap((value) => [...value!]);
    return closed([address, operation, content.length, ...content]);
  }
  const content = Buffer.alloc(2 * count);
  for (const [place, bytes] of memory) {
    const offset = 2 * (place - start);
    if (offset >= 0 && offset + bytes.length <= content.length) content.set(bytes, offset);
  }
  return closed([address, operation, content.length, ...content]);
}

function closed(bytes: readonly number[]): Uint8Array {
  const crc = modbusCrcOf(Uint8Array.from(bytes));
  return Uint8Array.of(...bytes, crc & 0xff, crc >> 8);
}
