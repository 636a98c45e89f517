// The folder of a meter that runs on a gateway: its configuration, and seed and credential in its
// key-value store.

import { join } from "node:path";
import { toHex } from "../../src/wire/bytes.js";
import { keyId } from "../../src/wire/key.js";
import type { Authority } from "../authority/issue.js";
import { signerFromSeed } from "../crypto/signatures.js";
import { createFile } from "../files/made-once.js";
import { SECRET } from "../files/private-files.js";
import { openKeyValue } from "../meters/key-value.js";
import { type MeterTemplate, meterConfiguration } from "./meter-configuration.js";

/**
 * Makes a meter's key and fills its folder: configuration.json, keyvalue/seed and
 * keyvalue/credential.
 */
export async function fillMeterFolder(
  folder: string,
  seed: Uint8Array,
  credential: Uint8Array,
  authority: Authority,
  template: MeterTemplate,
): Promise<void> {
  const keyValue = openKeyValue(join(folder, "keyvalue"));
  keyValue.set("seed", seed);
  keyValue.set("credential", credential);
  const id = toHex(keyId(signerFromSeed(seed).key));
  const document = meterConfiguration(authority.genesis, authority.genesisBytes, id, template);
  // With the keys of an encrypted port, where the owner enters them.
  await createFile(join(folder, "configuration.json"), `${JSON.stringify(document, null, 2)}\n`, SECRET);
}
