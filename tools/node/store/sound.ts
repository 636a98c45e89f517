// Reading what a damaged store may hold.

import { WireError } from "../../../src/wire/error.js";

/** Undefined where it is not what it should be. */
export function soundOf<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
