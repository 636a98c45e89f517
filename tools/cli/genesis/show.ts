// `gridseal genesis show`: a genesis by itself, once its authority's signature is checked.

import type { Command } from "commander";
import { toHex } from "../../../src/wire/bytes.js";
import type { Genesis } from "../../../src/wire/genesis.js";
import { encodeKey, keyId, type PublicKey } from "../../../src/wire/key.js";
import { readGenesisFile } from "../../files/genesis-file.js";
import { initialGovernance } from "../../ledger/governance.js";
import { printLines, table, toJson } from "../../terminal/output.js";
import { linesOf, viewOf } from "../network/view.js";

export function registerShow(genesis: Command): void {
  genesis
    .command("show")
    .description("a genesis, checked: authority, keys that sign orders, chains with members, nodes with their keys")
    .argument("<file>", "the network's genesis")
    .option("--json", "print JSON")
    .action(show);
}

async function show(file: string, { json }: { readonly json?: true }): Promise<void> {
  const { genesis } = await readGenesisFile(file);
  const view = viewOf(genesis, initialGovernance(genesis), []);
  const keys = keysOf(genesis);
  if (json) return printLines([toJson({ ...view, keys })]);
  printLines([
    ...linesOf(view),
    "",
    ...table(
      ["KEY OF", "ID", "COSE_KEY"],
      keys.map(({ of, id, key }) => [of, id, key]),
    ),
  ]);
}

/** Every key that the genesis names, as COSE_Key in hex. */
function keysOf({ authority, ordering, nodes }: Genesis) {
  const shown = (of: string, key: PublicKey) => ({ of, id: toHex(keyId(key)), key: toHex(encodeKey(key)) });
  return [
    shown("authority", authority),
    ...(ordering?.keys ?? []).map((key) => shown("orders", key)),
    ...nodes.map(({ name, key }) => shown(name, key)),
  ];
}
