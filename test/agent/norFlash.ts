// NOR flash and a key-value store as the agent's host has them, with a power cut at any byte: writing only clears bits, erasing works on
// whole sectors, a cut leaves a prefix of a write and any mixture of an erase.

import type { Flash, KeyValue } from "../../src/host.js";

/** The supply failed: whoever runs has lost its memory. */
export class PowerCut extends Error {}

/** What a cut erase leaves: the sector's first bytes erased, its last ones, or rubbish everywhere. */
export type EraseCut = "first" | "last" | "rubbish";

export interface SimulatedStores {
  readonly flash: Flash;
  readonly keyValue: KeyValue;
  /** The next so many bytes written, sectors erased (a sector's bytes each) and keys set succeed; then the power is cut. */
  cutAfter(bytes: number, erase?: EraseCut): void;
  /** Power is back; returns whether it was cut. */
  restore(): boolean;
  /** bytes that went through since the start: the budget that `cutAfter` counts by */
  readonly spent: number;
  readonly bytes: Uint8Array;
  readonly keys: Map<string, Uint8Array>;
  readonly erases: number;
}

export function simulatedStores(size: number, sectorSize: number): SimulatedStores {
  const bytes = new Uint8Array(size).fill(0xff);
  const keys = new Map<string, Uint8Array>();
  let left = Number.POSITIVE_INFINITY;
  let eraseCut: EraseCut = "first";
  let isCut = false;
  let spent = 0;
  let erases = 0;

  /** How many of the wanted bytes go through; a cut where it is not all. */
  const spend = (wanted: number): number => {
    if (isCut) throw new PowerCut("power is off");
    const granted = Math.min(wanted, left);
    left -= granted;
    spent += granted;
    return granted;
  };
  const cut = (): never => {
    isCut = true;
    throw new PowerCut("power was cut");
  };

  const flash: Flash = {
    size,
    sectorSize,
    read(offset, length) {
      if (isCut) throw new PowerCut("power is off");
      if (offset < 0 || offset + length > size) throw new RangeError(`read of ${length} at ${offset}`);
      return bytes.slice(offset, offset + length);
    },
    write(offset, written) {
      if (offset < 0 || offset + written.length > size) throw new RangeError(`write of ${written.length} at ${offset}`);
      const granted = spend(written.length);
      for (let index = 0; index < granted; index += 1) {
        const before = bytes[offset + index]!;
        if ((before & written[index]!) !== written[index]!)
          throw new Error(`write at ${offset + index} would set bits`);
        bytes[offset + index] = before & written[index]!;
      }
      if (granted < written.length) cut();
    },
    erase(offset) {
      if (offset % sectorSize !== 0) throw new RangeError(`erase at ${offset}`);
      const granted = spend(sectorSize);
      erases += 1;
      if (granted === sectorSize) {
        bytes.fill(0xff, offset, offset + sectorSize);
        return;
      }
      if (eraseCut === "first") bytes.fill(0xff, offset, offset + granted);
      if (eraseCut === "last") bytes.fill(0xff, offset + sectorSize - granted, offset + sectorSize);
      if (eraseCut === "rubbish") {
        for (let index = 0; index < sectorSize; index += 1)
          bytes[offset + index]! |= (index * 167 + granted * 13) & 0xff;
      }
      cut();
    },
  };

  const keyValue: KeyValue = {
    get: (key) => keys.get(key)?.slice(),
    set(key, value) {
      if (key.length > 15) throw new RangeError(`key ${key} is longer than 15 characters`);
      if (spend(1) < 1) cut();
      keys.set(key, value.slice());
    },
    delete: (key) => void keys.delete(key),
  };

  return {
    flash,
    keyValue,
    cutAfter(budget, erase = "first") {
      left = budget;
      eraseCut = erase;
    },
    restore() {
      const was = isCut;
      isCut = false;
      left = Number.POSITIVE_INFINITY;
      return was;
    },
    get spent() {
      return spent;
    },
    bytes,
    keys,
    get erases() {
      return erases;
    },
  };
}
