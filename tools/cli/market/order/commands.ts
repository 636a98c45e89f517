// `gridseal market order`: sealed bids of a participant. What a bid says stays in the participant's folder until it is opened.

import { randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type Command, Option } from "commander";
import { toHex } from "../../../../src/wire/bytes.js";
import { GridsealError } from "../../../errors.js";
import { createFile, createFolder, readWhole } from "../../../files/made-once.js";
import { readParticipant } from "../../../files/operations/participant-folder.js";
import { SECRET } from "../../../files/private-files.js";
import { bidDigest, type Opening, operationTypes } from "../../../market/auction/types.js";
import { moment, whole } from "../../../terminal/arguments.js";
import { secondText, toJson } from "../../../terminal/output.js";
import { type AskOptions, ask, price, withSigner } from "../arguments.js";

interface BidOptions extends AskOptions {
  readonly side: "buy" | "sell";
  readonly price: number;
  readonly volume: number;
  readonly point?: string;
}

const SALT_BYTES = 16;
const OPENING_BYTES_MAX = 1_024;
/** In the folder of whoever bids. */
const FOLDER = "bids";

export function registerOrder(market: Command): void {
  const order = market.command("order").description("sealed bids of an auction");
  withSigner(order.command("bid").description("seal a bid for a slot; what it says stays in the folder until `open`"))
    .argument("<slot>", "begin of the slot", moment)
    .addOption(new Option("--side <side>", "who trades").choices(["buy", "sell"]).makeOptionMandatory())
    .requiredOption("--price <money>", "for a kWh; --price=-0.05 where it is negative", price)
    .requiredOption("--volume <mWh>", "energy, in 10^-6 kWh", whole(1, 1_000_000_000_000))
    .option("--point <point>", "which is to carry it; the only one where absent")
    .action(bid);
  withSigner(order.command("open").description("open all bids for a slot, once its gate is closed"))
    .argument("<slot>", "begin of the slot", moment)
    .action(open);
}

async function bid(slot: number, { side, price, volume, point, ...options }: BidOptions): Promise<void> {
  const opening: Opening = { slot, side, price, volume, salt: toHex(Uint8Array.from(randomBytes(SALT_BYTES))) };
  const id = toHex((await readParticipant(options.as)).kid);
  const digest = bidDigest(id, opening);
  // On disk before it is signed: a bid that cannot be opened is a breach.
  const folder = join(options.as, FOLDER, String(slot));
  await createFolder(folder, async () => {}).catch((error: unknown) => {
    if (!(error instanceof GridsealError && error.code === "FILE_EXISTS")) throw error;
  });
  await createFile(
    join(folder, `${digest}.json`),
    new TextEncoder().encode(`${toJson({ ...opening, point })}\n`),
    SECRET,
  );
  await ask(operationTypes.bid, { slot, digest }, options);
}

async function open(slot: number, options: AskOptions): Promise<void> {
  const folder = join(options.as, FOLDER, String(slot));
  const names = await readdir(folder).catch(() => []);
  if (names.length === 0)
    throw new GridsealError("NOT_FOUND", `${folder} has no bid for the slot at ${secondText(slot)}`);
  for (const name of names.sort()) {
    const text = new TextDecoder().decode(await readWhole(join(folder, name), OPENING_BYTES_MAX));
    const opening = JSON.parse(text) as Opening & { readonly point?: string };
    await ask(operationTypes.open, { ...opening }, options);
  }
}
