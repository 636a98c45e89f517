// The story performed: who is who in the demo's folder, blocks read, operations asked for, twice a second until it is over.

import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { toHex } from "../../../src/wire/bytes.js";
import { keyId } from "../../../src/wire/key.js";
import { readKeyFile } from "../../files/key-file.js";
import type { ReceiptSource } from "../../sources/source.js";
import { type Actor, actors, type Cast, METERS_MIN, meterNumbers } from "./cast.js";
import { createFollower } from "./follow.js";
import { type Asked, ask, createStory } from "./story.js";

const TURN_MS = 500;
const METERS_FILE = "meters.json";

type Meters = readonly { readonly name: string; readonly id: string }[];

/** IDs of meters, which no folder of theirs has. */
export async function keepMeters(folder: string, meters: Meters): Promise<void> {
  await writeFile(join(folder, METERS_FILE), `${JSON.stringify(meters, undefined, 2)}\n`);
}

/** Undefined where there are too few meters, or the folder is of a demo without a community. */
export async function castOf(folder: string): Promise<Cast | undefined> {
  const text = await readFile(join(folder, METERS_FILE), "utf8").catch(() => "[]");
  const meters = JSON.parse(text) as Meters;
  if (meters.length < METERS_MIN) return undefined;
  const ids = await Promise.all(
    actors.map(async (name): Promise<readonly [Actor, string]> => {
      const { key } = await readKeyFile(join(folder, "participants", name, "key.json"));
      return [name, toHex(keyId(key))];
    }),
  );
  const pointOf = (number: number) => meters.find(({ name }) => name === `meter-${number}`)!.id;
  const { anna, bert, works } = meterNumbers;
  return {
    ids: Object.fromEntries(ids) as Cast["ids"],
    points: { anna: pointOf(anna), bert: pointOf(bert), works: pointOf(works) },
  };
}

export interface Staging {
  readonly cast: Cast;
  readonly sources: readonly ReceiptSource[];
  readonly until: Promise<unknown>;
  ask(asked: Asked): void;
  tell(lines: readonly string[]): void;
}

/** Resolves when it is over. */
export async function tellStory({ cast, sources, until, ask: give, tell }: Staging): Promise<void> {
  const story = createStory(cast);
  const follow = createFollower({ story, sources, since_ms: Date.now(), tell });
  let isOver = false;
  const end = until.then(() => {
    isOver = true;
  });
  const salt = () => toHex(Uint8Array.from(randomBytes(16)));
  while (!isOver) {
    await follow();
    if (isOver) return;
    for (const asked of ask(story, Math.floor(Date.now() / 1_000), salt)) give(asked);
    await Promise.race([end, new Promise((resolve) => setTimeout(resolve, TURN_MS))]);
  }
}
