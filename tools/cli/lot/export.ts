// `gridseal lot export`: the maker signs the devices of a lot to their buyer.

import type { Command } from "commander";
import { fromHex, toHex } from "../../../src/wire/bytes.js";
import { type KeyOrigin, keyOrigins } from "../../../src/wire/credential.js";
import { keyId, type PublicKey } from "../../../src/wire/key.js";
import { checkIssuedId } from "../../authority/issue.js";
import { type LotDevice, SHIPMENT_BYTES_MAX, signShipment } from "../../authority/lots/shipment.js";
import { GridsealError, reasonOf } from "../../errors.js";
import { readCsv } from "../../files/csv.js";
import { readKeyFile } from "../../files/key-file.js";
import { createFile, readWhole, refuseExisting } from "../../files/made-once.js";
import { countText, printLines, toJson } from "../../terminal/output.js";
import { publicKey } from "./read-lot.js";

interface ExportOptions {
  readonly lot: string;
  readonly key: string;
  readonly to: PublicKey;
  readonly out: string;
  readonly json?: true;
}

export function registerExport(lot: Command): void {
  lot
    .command("export")
    .description("sign the devices of a lot to their buyer")
    .argument(
      "<table>",
      "CSV with the columns `id`, `key` (the key id, 16 hex digits), `origin`, `firmware` (SHA-256, or empty)",
    )
    .requiredOption("--lot <name>", "the lot's name")
    .requiredOption("--key <file>", "key file of the maker")
    .requiredOption("--to <hex>", "the buyer's public key", publicKey)
    .requiredOption("-o, --out <file>", "file to make")
    .option("--json", "print JSON")
    .action(exportLot);
}

async function exportLot(path: string, options: ExportOptions): Promise<void> {
  const { lot, to, out } = options;
  await refuseExisting(out);
  const maker = await readKeyFile(options.key);
  let bytes: Uint8Array;
  let devices: readonly LotDevice[];
  try {
    devices = devicesIn(new TextDecoder().decode(await readWhole(path, SHIPMENT_BYTES_MAX)));
    bytes = signShipment({ lot, devices, buyer: to, time_s: Math.floor(Date.now() / 1_000) }, maker);
  } catch (cause) {
    if (cause instanceof GridsealError && cause.code !== "FILE_INVALID") throw cause;
    throw new GridsealError("FILE_INVALID", `${path} is no table of a lot: ${reasonOf(cause)}`, { cause });
  }
  await createFile(out, bytes);
  const owner = toHex(keyId(to));
  printLines([
    options.json
      ? toJson({ file: out, lot, devices: devices.length, maker: toHex(keyId(maker.key)), owner })
      : `${out}: ${countText(devices.length, "device")} of lot ${lot}, owned by key ${owner}`,
  ]);
}

function devicesIn(text: string): readonly LotDevice[] {
  const [head, ...rows] = readCsv(text);
  if (head?.cells.join() !== "id,key,origin,firmware") {
    throw new GridsealError("FILE_INVALID", "its first row is not id,key,origin,firmware");
  }
  return rows.map(({ line, cells }) => {
    const [id = "", key = "", origin = "", firmware = ""] = cells;
    checkIssuedId(id);
    const [kid, hash] = [fromHex(key), firmware === "" ? undefined : fromHex(firmware)];
    if (kid?.length !== 8) throw new GridsealError("FILE_INVALID", `line ${line}: "${key}" is no key id`);
    if (firmware !== "" && hash?.length !== 32)
      throw new GridsealError("FILE_INVALID", `line ${line}: firmware is no SHA-256`);
    if (!keyOrigins.includes(origin as KeyOrigin)) {
      throw new GridsealError(
        "FILE_INVALID",
        `line ${line}: origin is one of ${keyOrigins.join(", ")}, not "${origin}"`,
      );
    }
    return { id, kid, origin: origin as KeyOrigin, firmware: hash };
  });
}
