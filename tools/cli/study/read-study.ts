// What commands of studies read: a study's file or kind, an export, a result.

import { digestOf, readManifest } from "../../analytics/manifest.js";
import type { Export } from "../../analytics/read.js";
import { runQuery } from "../../analytics/sql.js";
import { runStudy, type StudyResult } from "../../analytics/study.js";
import { type StudyTerms, termsFrom } from "../../analytics/terms.js";
import { GridsealError, reasonOf } from "../../errors.js";
import { readWhole } from "../../files/made-once.js";
import { withProgress } from "../../terminal/progress.js";

const FILE_BYTES_MAX = 33_554_432;

export async function readJson(path: string): Promise<unknown> {
  const bytes = await readWhole(path, FILE_BYTES_MAX);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new GridsealError("FILE_INVALID", `${path} is no JSON: ${reasonOf(cause)}`, { cause });
  }
}

/** Rejects with FILE_UNREADABLE or FILE_INVALID. */
export async function readTerms(path: string): Promise<StudyTerms> {
  return termsFrom(await readJson(path), path);
}

export async function openExport(folder: string): Promise<Export> {
  return { folder, manifest: await readManifest(folder) };
}

/** Runs it as its kind is run. Rejects as `runStudy` and `runQuery` do. */
export function compute(of: Export, terms: StudyTerms): Promise<StudyResult> {
  return withProgress((tell) => {
    const onFile = (done: number, total: number) => tell({ what: `reading ${of.folder}`, done, total, unit: "file" });
    return terms.kind === "sql" ? runQuery(of, terms, onFile) : runStudy(of, terms, onFile);
  });
}

/** What stands in a file that `study run` made. */
export interface ResultFile {
  readonly hash: string;
  readonly result: StudyResult;
}

/** Rejects with FILE_UNREADABLE or FILE_INVALID. The hash is of the file's bytes but for its end of line. */
export async function readResult(path: string): Promise<ResultFile> {
  const text = new TextDecoder().decode(await readWhole(path, FILE_BYTES_MAX)).trimEnd();
  const value = await readJson(path);
  const { engine, kind, query, header, figures } = (value ?? {}) as Partial<StudyResult>;
  const isResult = [engine, kind, query, header].every((each) => typeof each === "string") && figures !== undefined;
  if (!isResult) throw new GridsealError("FILE_INVALID", `${path} is no result that study run has made`);
  return { hash: digestOf(text), result: value as StudyResult };
}
