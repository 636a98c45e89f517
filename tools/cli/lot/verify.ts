// `gridseal lot verify`: whether a shipment file is good, whose it is, and of which devices it speaks.

import type { Command } from "commander";
import { toHex } from "../../../src/wire/bytes.js";
import { equalKeys, keyId, type PublicKey } from "../../../src/wire/key.js";
import { GridsealError } from "../../errors.js";
import { pairs, printLines, timeText, toJson } from "../../terminal/output.js";
import { publicKey, readLot } from "./read-lot.js";

interface VerifyOptions {
  readonly maker?: PublicKey;
  readonly owner?: PublicKey;
  readonly json?: true;
}

export function registerVerify(lot: Command): void {
  lot
    .command("verify")
    .description("check a shipment file: the maker's signature, and each owner's")
    .argument("<file>", "shipment file")
    .option("--maker <hex>", "public key that must have signed it first", publicKey)
    .option("--owner <hex>", "public key that must own it now", publicKey)
    .option("--json", "print JSON")
    .action(verify);
}

async function verify(file: string, options: VerifyOptions): Promise<void> {
  const { shipment } = await readLot(file);
  const { lot, maker, owners, devices, time_s, hash } = shipment;
  const owner = owners.at(-1)!;
  const ids = { maker: toHex(keyId(maker)), owner: toHex(keyId(owner)) };
  if (options.maker !== undefined && !equalKeys(options.maker, maker)) {
    throw new GridsealError("SHIPMENT_INVALID", `${file} is signed by key ${ids.maker}, not by the maker named`);
  }
  if (options.owner !== undefined && !equalKeys(options.owner, owner)) {
    throw new GridsealError("SHIPMENT_INVALID", `${file} is owned by key ${ids.owner}, not by the owner named`);
  }
  const chain = [maker, ...owners].map((key) => toHex(keyId(key)));
  printLines(
    options.json
      ? [toJson({ lot, ...ids, keys: chain, time_s, hash, devices })]
      : pairs([
          ["lot", lot],
          ["devices", devices.length],
          ["keys", chain.join(" to ")],
          ["last signed", timeText(time_s * 1_000)],
          ["hash", toHex(hash)],
          ["maker", options.maker === undefined ? "not compared: name it by --maker" : "as named"],
        ]),
  );
}
