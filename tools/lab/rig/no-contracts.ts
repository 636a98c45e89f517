// Chains that have no contracts.

import { GridsealError } from "../../errors.js";

/** Nothing is installed where this is asked. */
export function refuseContracts(): Promise<never> {
  return Promise.reject(new GridsealError("ENGINE_FAULT", "no contract runs here"));
}
