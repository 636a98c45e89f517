// Injection of a meter's key: made here, certified, put into an image of the chip's NVS partition, and forgotten here once the image
// is where it belongs. A seed stays in the bench's folder until then, so that what is certified is never lost to a kill.

import { existsSync } from "node:fs";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { toHex } from "../../../src/wire/bytes.js";
import { keyId } from "../../../src/wire/key.js";
import { signRequest } from "../../../src/wire/request.js";
import { generateSeed, signerFromSeed } from "../../crypto/signatures.js";
import { GridsealError } from "../../errors.js";
import { createFile, readWhole } from "../../files/made-once.js";
import { refuseExposed, SECRET } from "../../files/private-files.js";
import type { Listed } from "../console/bench.js";
import type { Certifier } from "../console/certifier.js";
import type { Outcome, Plan } from "../console/step.js";
import { type NvsValue, nvsImage } from "./image.js";

export interface Injection {
  /** the bench's folder */
  readonly folder: string;
  /** names the device in it: its MAC, or its ID where no chip is at hand */
  readonly name: string;
  readonly listed: Listed;
  readonly plan: Plan;
  readonly certifier: Certifier;
  /** of the NVS partition */
  readonly bytes: number;
  /** Puts the image where it belongs, durably; it may have been there already. */
  deliver(image: Uint8Array): Promise<void>;
}

const SEED_BYTES = 32;

/** Injects one meter's key, or finds that it was done. */
export async function injectMeter(injection: Injection): Promise<Outcome> {
  const { folder, name, listed } = injection;
  const [seedPath, donePath] = [join(folder, `${name}.seed`), join(folder, `${name}.injected`)];
  const named = { id: listed.id, ...(listed.id !== name && { mac: name }) };
  if (existsSync(donePath)) {
    await wipe(seedPath);
    return { ...named, type: "stored", meter: new TextDecoder().decode(await readWhole(donePath, 64)).trim() };
  }
  const seed = await seedAt(seedPath);
  try {
    return await injectSeed(injection, seed, { seedPath, donePath, named });
  } finally {
    seed.fill(0);
  }
}

interface Injecting {
  readonly seedPath: string;
  readonly donePath: string;
  readonly named: { readonly id: string; readonly mac?: string };
}

async function injectSeed(
  injection: Injection,
  seed: Uint8Array,
  { seedPath, donePath, named }: Injecting,
): Promise<Outcome> {
  const { name, listed, plan, certifier } = injection;
  const signer = signerFromSeed(seed);
  const meter = toHex(keyId(signer.key));
  const { services, lot, genesisHash } = plan;
  const origin = { key: "injected" as const, ...(lot !== undefined && { lot }) };
  const stated = { id: listed.id, services, roles: ["meter" as const], origin, nonce: new Uint8Array(0) };
  const request = signRequest(stated, genesisHash, signer);
  const answer = await certifier.certify({ kind: "certify", id: listed.id, mac: name, request });
  if (answer.kind === "waits") return { ...named, meter, type: "waiting", text: answer.text };
  if (answer.kind === "refused") return { ...named, meter, type: "failed", code: answer.code, reason: answer.reason };
  const configuration = plan.configurationOf(meter, listed.place);
  const image = nvsImage(valuesOf(plan, { seed, credential: answer.credential, configuration }), injection.bytes);
  try {
    await injection.deliver(image);
  } finally {
    image.fill(0);
  }
  await createFile(donePath, `${meter}\n`);
  await wipe(seedPath);
  return { ...named, meter, type: "stored" };
}

/** As hosts/esp32/host.ts reads them: all are blobs. */
function valuesOf(
  { ca, wifi, sntp }: Plan,
  own: { readonly seed: Uint8Array; readonly credential: Uint8Array; readonly configuration: string },
): readonly NvsValue[] {
  const encoder = new TextEncoder();
  const blob = (namespace: string, key: string, value: Uint8Array | string | undefined): readonly NvsValue[] =>
    value === undefined
      ? []
      : [{ namespace, key, type: "blob", value: typeof value === "string" ? encoder.encode(value) : value }];
  return [
    ...blob("gridseal", "seed", own.seed),
    ...blob("gridseal", "credential", own.credential),
    ...blob("settings", "configuration", own.configuration),
    ...blob("settings", "brokerCa", ca),
    ...blob("settings", "ssid", wifi?.ssid),
    ...blob("settings", "password", wifi?.password),
    ...blob("settings", "sntp", sntp),
  ];
}

async function seedAt(path: string): Promise<Uint8Array> {
  if (!existsSync(path)) {
    const fresh = generateSeed();
    await createFile(path, fresh, SECRET).finally(() => fresh.fill(0));
  }
  await refuseExposed(path);
  const seed = await readWhole(path, SEED_BYTES);
  if (seed.length !== SEED_BYTES) throw new GridsealError("KEY_INVALID", `${path} is no seed of ${SEED_BYTES} bytes`);
  return seed;
}

/** Overwrites and removes. What the disk keeps of it elsewhere nobody here can reach. */
async function wipe(path: string): Promise<void> {
  if (!existsSync(path)) return;
  const file = await open(path, "r+");
  try {
    await file.write(new Uint8Array(SEED_BYTES), 0, SEED_BYTES, 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await rm(path);
}
