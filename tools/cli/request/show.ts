// `gridseal request show`: what a file of requests asks for, or what a file of answers says; `--save` puts its credentials into files.

import { join } from "node:path";
import type { Command } from "commander";
import { toHex } from "../../../src/wire/bytes.js";
import { CREDENTIAL_BYTES_MAX } from "../../../src/wire/credential.js";
import { keyId } from "../../../src/wire/key.js";
import { isEndorsement, readEndorsement, verifyRequest } from "../../../src/wire/request.js";
import { checkIssuedId } from "../../authority/issue.js";
import { REQUESTS_BYTES_MAX } from "../../authority/requests/answer.js";
import { readAnswer } from "../../authority/requests/read-answer.js";
import { nodeVerify } from "../../crypto/signatures.js";
import { GridsealError, reasonOf } from "../../errors.js";
import { readGenesisFile } from "../../files/genesis-file.js";
import { createFile, readWhole } from "../../files/made-once.js";
import { itemsOf } from "../../files/sequence.js";
import { printLines, table, toJson } from "../../terminal/output.js";

interface ShowOptions {
  readonly genesis: string;
  readonly save?: string;
  readonly json?: true;
}

interface Shown {
  readonly id: string | undefined;
  readonly kid: string | undefined;
  readonly what: string;
  readonly credential?: Uint8Array;
}

const limits = { size: 2 * CREDENTIAL_BYTES_MAX, items: 64 };
const TAG_SIGN1 = 0xd2;

export function registerShow(request: Command): void {
  request
    .command("show")
    .description("show what a file of requests asks for, or what a file of answers says")
    .argument("<file>", "requests or answers")
    .requiredOption("--genesis <file>", "the network's genesis")
    .option("--save <dir>", "put each credential of the answers into a file there, named after its ID")
    .option("--json", "print a JSON document an item")
    .action(show);
}

async function show(file: string, options: ShowOptions): Promise<void> {
  const { genesis } = await readGenesisFile(options.genesis);
  const bytes = await readWhole(file, REQUESTS_BYTES_MAX);
  let shown: readonly Shown[];
  try {
    shown = [...itemsOf(bytes, limits)].map((item) =>
      item[0] === TAG_SIGN1 ? requestView(item, genesis.hash) : answerView(item),
    );
  } catch (cause) {
    throw new GridsealError("FILE_INVALID", `${file} holds neither requests nor answers: ${reasonOf(cause)}`, {
      cause,
    });
  }
  for (const { id, credential } of options.save === undefined ? [] : shown) {
    if (id === undefined || credential === undefined) continue;
    checkIssuedId(id);
    await createFile(join(options.save!, `${id}.credential`), credential);
  }
  const rows = shown.map(({ id, kid, what }) => [id ?? "", kid ?? "", what]);
  printLines(options.json ? shown.map(toJson) : table(["ID", "KEY ID", "WHAT"], rows));
}

function requestView(item: Uint8Array, genesisHash: Uint8Array): Shown {
  const endorsement = isEndorsement(item) ? readEndorsement(item, genesisHash) : undefined;
  const { id, key, roles, services, origin } = verifyRequest(endorsement?.request ?? item, genesisHash, nodeVerify);
  const by = endorsement === undefined ? "" : `, key ${toHex(endorsement.kid)} answers for it`;
  const lot = origin?.lot === undefined ? "" : `, lot ${origin.lot}`;
  const what = `asks to be ${roles.join(", ")} for services ${services.join(", ") || "none"}${lot}${by}`;
  return { id, kid: toHex(keyId(key)), what };
}

function answerView(item: Uint8Array): Shown {
  const { kid, id, outcome } = readAnswer(item);
  const named = { id, kid: kid && toHex(kid) };
  if (typeof outcome === "string") return { ...named, what: `refused: ${outcome}` };
  return { ...named, what: "credential", credential: outcome };
}
