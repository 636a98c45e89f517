// `gridseal state verify`: the proof of what a contract remembers, checked without any node.

import type { Command } from "commander";
import { toHex } from "../../../src/wire/bytes.js";
import { decodeHeader, headerHash } from "../../../src/wire/header.js";
import { LINEAGE_BYTES_MAX } from "../../../src/wire/lineage.js";
import { STATE_PROOF_BYTES_MAX } from "../../../src/wire/receipt.js";
import { readGenesisFile } from "../../files/genesis-file.js";
import { readWhole } from "../../files/made-once.js";
import { networkText, pairs, printLines, secondText, toJson } from "../../terminal/output.js";
import { nameOfChain } from "../receipt/chain-name.js";
import { checkStateProof, proofView, readStateProof, valueText } from "./read-state-proof.js";

export function registerVerify(state: Command): void {
  state
    .command("verify")
    .description("check the proof of what a contract remembers with nothing but the genesis")
    .argument("<file>", "the proof")
    .requiredOption("--genesis <file>", "the network's genesis")
    .option("--json", "print JSON")
    .action(verify);
}

async function verify(file: string, options: { readonly genesis: string; readonly json?: true }): Promise<void> {
  const read = readStateProof(await readWhole(file, STATE_PROOF_BYTES_MAX + LINEAGE_BYTES_MAX), file);
  const { genesis } = await readGenesisFile(options.genesis);
  checkStateProof(read, genesis, file);
  const view = proofView(read.proof);
  const name = nameOfChain(genesis, view.service, read.lineage);
  const header = headerHash(read.proof.header);
  const { time_s } = decodeHeader(read.proof.header);
  if (options.json) {
    printLines([toJson({ ok: true, ...view, isTest: genesis.isTest, name, time: time_s, header })]);
    return;
  }
  printLines([
    `${file} is good: the state is sealed`,
    ...pairs([
      ["key", view.key],
      ["value", valueText(view)],
      ["chain", `${name} (${view.service}) of network ${networkText(genesis)}`],
      ["height", view.height],
      ["header", toHex(header)],
      ["timestamp", secondText(time_s)],
    ]),
  ]);
}
