// The study of the demo's story, run as anybody runs one: readings are exported and verified, figures computed, files kept beside the
// demo's other ones so that a reader can run it again.

import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Genesis } from "../../../src/wire/genesis.js";
import type { Value } from "../../../src/wire/value.js";
import { exportReadings } from "../../analytics/export.js";
import { resultHash, resultText, runStudy } from "../../analytics/study.js";
import { termsFrom } from "../../analytics/terms.js";
import { GridsealError } from "../../errors.js";
import { chains } from "../../market/messages.js";
import { createChainContracts } from "../../node/contracts/node-contracts.js";
import type { ReceiptSource } from "../../sources/source.js";
import { type StudiedPeriod, studyFields } from "./study-plan.js";

export interface WantedStudy extends StudiedPeriod {
  /** as the chain names it */
  readonly study: string;
  /** height up to which readings are taken; that of the newest block where nobody has said */
  readonly to?: number;
}

/** What a study has come to, as operations say it. */
export type StudyResult = { readonly study: string; readonly result: string } & { readonly [field: string]: Value };

interface Running {
  readonly genesis: Genesis;
  readonly source: ReceiptSource;
  /** where its files are made, anew each time */
  readonly folder: string;
  readonly members: readonly string[];
}

/** What it came to. Rejects with NODE_UNREACHABLE where the node goes down meanwhile, or has not all of the blocks yet. */
export async function runWantedStudy(
  { study, to: last, ...period }: WantedStudy,
  { genesis, source, folder, members }: Running,
): Promise<StudyResult> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder);
  const fields = studyFields(members, period);
  const known = await source.chains();
  const newest = known.find(({ service }) => service === chains.trading)?.height ?? 0;
  const height = last ?? newest;
  if (newest < height) throw new GridsealError("NODE_UNREACHABLE", `the node has ${newest} of ${height} blocks`);
  const tables = join(folder, "tables");
  const contracts = createChainContracts();
  const manifest = await exportReadings({
    ...{ genesis, services: [chains.trading], from: 1, to: height, forms: ["parquet"], out: tables },
    open: (service) => () => source.blocks(service, 1),
    runContracts: contracts.run,
    judge([report]) {
      const { firstProblem } = report!;
      if (firstProblem === undefined) return;
      throw new GridsealError("CHAIN_INVALID", `block ${firstProblem.height}: ${firstProblem.what}`);
    },
  }).finally(() => contracts.close());
  const result = await runStudy({ folder: tables, manifest }, termsFrom(fields, "the demo's study"));
  await writeFile(join(folder, "study.json"), `${JSON.stringify(fields, undefined, 1)}\n`);
  await writeFile(join(folder, "result.json"), `${resultText(result)}\n`);
  const { to, header, engine, group, largest_permille } = result;
  return { study, to, header, engine, group, largest_permille, result: resultHash(result) };
}
