// A grid and a schedule in one file, read for a check.

import type { Value } from "../../contracts/author.js";
import { valueFromJson } from "../../contracts/value-json.js";
import type { Schedule } from "../../dispatch/check.js";
import { BASE_W, gridFrom } from "../../dispatch/grid.js";
import { GridsealError, reasonOf } from "../../errors.js";
import { readWhole } from "../../files/made-once.js";

const FILE_BYTES_MAX = 67_108_864;

export interface GridFile extends Omit<Schedule, "withOutages"> {
  /** of the deliveries */
  readonly names: readonly string[];
}

/** Reads the file. Rejects with GRID_INVALID, which names the field. */
export async function readGridFile(path: string): Promise<GridFile> {
  const value = await readGridValue(path);
  try {
    const { network, limits, deliveries } = gridFrom(value);
    return {
      ...{ network, limits, base: BASE_W, names: deliveries.map(({ id }) => id) },
      deliveries: deliveries.map(({ bus, power_W, reactive_var }) => ({
        ...{ bus, power: BigInt(power_W), reactive: BigInt(reactive_var) },
      })),
    };
  } catch (cause) {
    throw new GridsealError("GRID_INVALID", `${path} is no grid: ${reasonOf(cause)}`, { cause });
  }
}

/** The file's JSON as a value of contracts. Rejects with GRID_INVALID. */
export async function readGridValue(path: string): Promise<Value> {
  const bytes = await readWhole(path, FILE_BYTES_MAX);
  try {
    return valueFromJson(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)), "the file");
  } catch (cause) {
    throw new GridsealError("GRID_INVALID", `${path} is no grid: ${reasonOf(cause)}`, { cause });
  }
}
