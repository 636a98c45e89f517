// The codes under which a telegram states a version that ends in a CRC: DSMR 4 and later (1-3:0.2.8), and Fluvius (0-0:96.1.4).

import { matchesObis, type ObisPattern, parseObisPattern } from "../obis.js";

const versions: readonly ObisPattern[] = ["1-n:0.2.8", "0-0:96.1.4"].map(parseObisPattern);

/** Whether what stands under this code makes a telegram without CRC a broken one. */
export function isVersionWithCrc(obis: Uint8Array): boolean {
  return versions.some((pattern) => matchesObis(pattern, obis));
}
