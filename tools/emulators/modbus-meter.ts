// An emulated Eastron SDM630: answers Modbus RTU questions for its input registers (function 4) with IEEE 754 floats.

import { modbusCrcOf } from "./checksums.js";
import type { HouseholdState } from "./household.js";

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

function closed(bytes: readonly number[]): Uint8Array {
  const crc = modbusCrcOf(Uint8Array.from(bytes));
  return Uint8Array.of(...bytes, crc & 0xff, crc >> 8);
}
