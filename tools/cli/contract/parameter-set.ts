// A file with the parameters that a jurisdiction sets for a contract: dated, so that two sets of it can be told apart and compared.

import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import type { ParameterValue } from "../../../src/wire/contract-order.js";
import { GridsealError, reasonOf } from "../../errors.js";
import { readWhole } from "../../files/made-once.js";

const SET_BYTES_MAX = 65_536;
/** The parameter by which a chain says of when its set is. */
const DATED = "dated";

const shape = Type.Object(
  {
    /** whose law it is, for people: the order says where it holds */
    jurisdiction: Type.String({ minLength: 1 }),
    contract: Type.String({ minLength: 1 }),
    dated: Type.String({ pattern: "^\\d{4}-\\d{2}-\\d{2}$" }),
    parameters: Type.Record(
      Type.String({ minLength: 1 }),
      Type.Union([Type.Integer(), Type.Boolean(), Type.String({ minLength: 1 })]),
    ),
  },
  { additionalProperties: false },
);

/**
 * The parameters of a set `{jurisdiction, contract, dated, parameters}`, and `dated`, the day as text.
 * Rejects with FILE_UNREADABLE, and with FILE_INVALID where it is of another shape or of another contract.
 */
export async function readParameterSet(path: string, contract: string): Promise<ReadonlyMap<string, ParameterValue>> {
  const set = setFrom(await readWhole(path, SET_BYTES_MAX), path);
  if (set.contract !== contract) {
    throw new GridsealError("FILE_INVALID", `${path} is a set of the contract ${set.contract}, not of ${contract}`);
  }
  return new Map([...Object.entries(set.parameters), [DATED, set.dated]]);
}

function setFrom(bytes: Uint8Array, path: string): Static<typeof shape> {
  try {
    const parsed: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    const wrong = Value.Errors(shape, parsed).First();
    if (wrong !== undefined) throw new Error(`${wrong.path || "the file"}: ${wrong.message}`);
    return parsed as Static<typeof shape>;
  } catch (cause) {
    throw new GridsealError("FILE_INVALID", `${path} has no set of parameters: ${reasonOf(cause)}`, { cause });
  }
}
