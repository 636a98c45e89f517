// The story performed: who is who in the demo's folder, blocks read, operations asked for, twice a second until it is over.

import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { toHex } from "../../../src/wire/bytes.js";
import type { Genesis } from "../../../src/wire/genesis.js";
import { keyId } from "../../../src/wire/key.js";
import { GridsealError } from "../../errors.js";
import { readKeyFile } from "../../files/key-file.js";
import { operationTypes as studies } from "../../market/mining/kinds.js";
import type { ReceiptSource } from "../../sources/source.js";
import type { Asked } from "./asked.js";
import { type Actor, actors, type Cast, METERS_MIN, members, meterNumbers } from "./cast.js";
import { createFollower } from "./follow.js";
import { runWantedStudy } from "./run-study.js";
import { ask, createStory, type Story, type StudyJob, studyJob, wordOf } from "./story.js";

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
  readonly genesis: Genesis;
  /** the demo's: what a study is made of is kept there */
  readonly folder: string;
  readonly sources: readonly ReceiptSource[];
  readonly until: Promise<unknown>;
  ask(asked: Asked): void;
  tell(lines: readonly string[]): void;
}

/** Resolves when it is over. */
export async function tellStory(staging: Staging): Promise<void> {
  const { cast, sources, until, ask: give, tell } = staging;
  const story = createStory(cast);
  const follow = createFollower({ story, sources, since_ms: Date.now(), tell });
  let isOver = false;
  const end = until.then(() => {
    isOver = true;
  });
  const study = createStudying(story, staging);
  const salt = () => toHex(Uint8Array.from(randomBytes(16)));
  while (!isOver) {
    await follow();
    if (isOver) break;
    study.begin();
    for (const asked of ask(story, Math.floor(Date.now() / 1_000), salt)) give(asked);
    await Promise.race([end, new Promise((resolve) => setTimeout(resolve, TURN_MS))]);
  }
  await study.ended();
}

/** Runs the study that is asked for, and runs it once more as its check, beside the story; again where the node went down meanwhile. */
function createStudying(story: Story, { cast, genesis, folder, sources, ask: give }: Staging) {
  let running: Promise<void> | undefined;
  const begun = new Set<StudyJob["type"]>();
  const meters = members.map((name) => cast.points[name]).sort();
  const run = async (job: StudyJob, source: ReceiptSource) => {
    const name = job.type === studies.check ? "study-check" : "study";
    try {
      const place = { genesis, source, folder: join(folder, name), members: meters };
      give(wordOf(job, await runWantedStudy(job.study, place)));
    } catch (error) {
      if (!(error instanceof GridsealError && error.code === "NODE_UNREACHABLE")) throw error;
      begun.delete(job.type);
    }
    running = undefined;
  };
  let turns = 0;
  return {
    begin() {
      const job = studyJob(story);
      if (running !== undefined || job === undefined || begun.has(job.type)) return;
      begun.add(job.type);
      turns += 1;
      running = run(job, sources[turns % sources.length]!);
      // Who ends the story hears of it.
      running.catch(() => {});
    },
    ended: () => running ?? Promise.resolve(),
  };
}
