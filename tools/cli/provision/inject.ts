// `gridseal provision --mode inject`: keys made here, into the NVS partition of chips in download mode, or into images for a maker.

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { GridsealError } from "../../errors.js";
import { createFile, readWhole } from "../../files/made-once.js";
import { closeFolder, SECRET } from "../../files/private-files.js";
import { type ChipLoader, openChip } from "../../flash/chip-loader.js";
import type { Bench, Listed } from "../../provisioning/console/bench.js";
import type { Certifier } from "../../provisioning/console/certifier.js";
import type { Outcome, Plan } from "../../provisioning/console/step.js";
import { nodePort } from "../../provisioning/flash/node-port.js";
import { injectMeter } from "../../provisioning/nvs/inject.js";

export interface InjectOptions {
  readonly out?: string;
  readonly nvsOffset: number;
  readonly nvsBytes: number;
  readonly reset: boolean;
}

export interface InjectWork {
  readonly bench: Bench;
  readonly plan: Plan;
  readonly certifier: Certifier;
  readonly options: InjectOptions;
}

const BAUD = 460_800;

/** An image a meter of the list, in a folder. */
export async function injectImages(
  list: readonly Listed[],
  out: string,
  work: InjectWork,
): Promise<readonly Outcome[]> {
  await closeFolder(out);
  const outcomes: Outcome[] = [];
  for (const listed of list) {
    const path = join(out, `${listed.id}.nvs.bin`);
    const deliver = (image: Uint8Array) => keep(path, image);
    outcomes.push(await injected(listed.id, listed, work, deliver));
  }
  return outcomes;
}

/** The chip at the port, which is in download mode. */
export async function injectChip(path: string, work: InjectWork): Promise<Outcome> {
  const md5 = (bytes: Uint8Array) => createHash("md5").update(bytes).digest("hex");
  const chip = await openChip(await nodePort(path), { baud: BAUD, resets: work.options.reset, md5 });
  try {
    const { mac, isEncrypted, name } = chip.found;
    if (mac === undefined || isEncrypted) {
      const why = isEncrypted ? "it would read what is written as it is for noise" : "it does not tell its MAC";
      throw new GridsealError("CHIP_REFUSED", `the ${name} is locked: ${why}`);
    }
    const plain = mac.replaceAll(":", "").toLowerCase();
    const outcome = await injected(plain, await work.bench.assign(plain), work, (image) => write(chip, image, work));
    await (outcome.type === "stored" ? chip.leave() : chip.abandon());
    return outcome;
  } catch (thrown) {
    await chip.abandon();
    throw thrown;
  }
}

function injected(name: string, listed: Listed, work: InjectWork, deliver: (image: Uint8Array) => Promise<void>) {
  const { bench, plan, certifier, options } = work;
  return injectMeter({ folder: bench.folder, name, listed, plan, certifier, bytes: options.nvsBytes, deliver });
}

function write(chip: ChipLoader, image: Uint8Array, { options }: InjectWork): Promise<void> {
  return chip.write([{ file: "nvs.bin", offset: options.nvsOffset, bytes: image }], () => {});
}

/** The same image may be there of a run that was killed. */
async function keep(path: string, image: Uint8Array): Promise<void> {
  if (!existsSync(path)) return createFile(path, image, SECRET);
  if (!Buffer.from(await readWhole(path, image.length)).equals(image))
    throw new GridsealError("FILE_EXISTS", `${path} is another image`);
}
