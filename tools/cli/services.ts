// `--services trading,heat`: services by the names that the genesis has, or by their numbers; one that an order has added by its number.

import { SERVICE_MAX } from "../../src/wire/bounds.js";
import { readGenesisFile } from "../files/genesis-file.js";
import { whole } from "../terminal/arguments.js";
import { serviceNumber } from "./operation/sign.js";

/** Their numbers, each once, ascending. The genesis is read where one is named. Rejects with NOT_FOUND where it has no such name. */
export async function servicesNamed(texts: readonly string[], genesisFile: string): Promise<readonly number[]> {
  const isNamed = texts.some((text) => !/^[0-9]+$/.test(text));
  const chosen = isNamed ? await numbersIn(texts, genesisFile) : texts.map(whole(1, SERVICE_MAX));
  return [...new Set(chosen)].sort((left, right) => left - right);
}

async function numbersIn(texts: readonly string[], genesisFile: string): Promise<readonly number[]> {
  const { genesis } = await readGenesisFile(genesisFile);
  return texts.map((text) => serviceNumber(genesis, text));
}
