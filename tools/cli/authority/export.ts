// `gridseal authority export`: the credentials of the register as CSV (RFC 4180), as they were issued, or as a Token Status List; or
// the register's log as it is stored, an entry a line.

import { join } from "node:path";
import { type Command, Option } from "commander";
import { readIssuing } from "../../authority/folder.js";
import type { Register } from "../../authority/register/register.js";
import { signStatusList } from "../../authority/status-list.js";
import { GridsealError } from "../../errors.js";
import { csvRow } from "../../files/csv.js";
import { readGenesisFile } from "../../files/genesis-file.js";
import { createFile, PUBLIC } from "../../files/made-once.js";
import { SECRET } from "../../files/private-files.js";
import { whole } from "../../terminal/arguments.js";
import { printLines, toJson } from "../../terminal/output.js";
import { type AuthorityOptions, authorityFolder, useRegister, withAuthority } from "./authority-options.js";
import { credentialView, stateOf } from "./list.js";

const parts = ["credentials", "cose", "status-list", "log"] as const;

interface ExportOptions extends AuthorityOptions {
  readonly out: string;
  readonly what: (typeof parts)[number];
  readonly uri?: string;
  readonly ttl: number;
  readonly json?: true;
}

const DAY_S = 86_400;

export function registerExport(authority: Command): void {
  withAuthority(
    authority.command("export").description("write the credentials, the list of their states, or the register's log"),
  )
    .requiredOption("-o, --out <file>", "file to make; its owner's alone but for a list of states")
    .addOption(
      new Option(
        "--what <part>",
        "credentials: CSV; cose: those in force, one behind the other; status-list: a CWT for all; log: its entries",
      )
        .choices(parts)
        .default("credentials"),
    )
    .option("--uri <uri>", "where the list of states is to be had")
    .option("--ttl <seconds>", "how long a reader may keep the list of states", whole(1, 30 * DAY_S), DAY_S)
    .option("--json", "print JSON")
    .action(exportRegister);
}

async function exportRegister(options: ExportOptions): Promise<void> {
  const { out, what } = options;
  const count = await useRegister(options, async (register) => {
    let items = 0;
    const counted = async function* () {
      for await (const item of itemsOf(register, options)) {
        items += 1;
        yield item;
      }
    };
    await createFile(out, counted(), what === "status-list" ? PUBLIC : SECRET);
    return what === "status-list" ? register.issued : items;
  });
  printLines([options.json ? toJson({ file: out, what, count }) : `${out}: ${what}, ${count} ${nounOf(what)}`]);
}

function nounOf(what: ExportOptions["what"]): string {
  if (what === "status-list") return "states";
  return what === "cose" ? "credentials" : "lines";
}

async function* itemsOf(register: Register, options: ExportOptions): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  const now_s = Math.floor(Date.now() / 1_000);
  switch (options.what) {
    case "credentials":
      for (const line of credentialLines(register, now_s)) yield encoder.encode(line);
      return;
    case "log":
      for (const bytes of register.entries()) yield Buffer.concat([bytes, encoder.encode("\n")]);
      return;
    case "cose":
      for (const { row } of register.rows("credentials")) {
        if (stateOf(row, now_s) === "valid") yield Buffer.from(row.bytes, "base64url");
      }
      return;
    case "status-list":
      yield await statusList(register, options, now_s);
  }
}

async function statusList(register: Register, options: ExportOptions, now_s: number): Promise<Uint8Array> {
  const { network, uri, ttl } = options;
  if (uri === undefined)
    throw new GridsealError("USAGE", "a list of states says where it is to be had: name its --uri");
  const { genesis } = await readGenesisFile(join(network, "genesis.cbor"));
  const issuing = await readIssuing(genesis, authorityFolder(options), now_s);
  const states = Array.from(register.rows("credentials"), ({ row }) => row.state);
  return signStatusList(states, { uri, issued_s: now_s, ttl_s: ttl, expires_s: now_s + 2 * ttl }, issuing);
}

function* credentialLines(register: Register, now_s: number): Generator<string> {
  yield csvRow(["id", "meter", "key", "state", "statusIndex", "roles", "services", "notBefore", "expires", "point"]);
  for (const { row } of register.rows("credentials")) {
    const { id, meter, state, statusIndex, roles, services, point } = credentialView(register, row, now_s);
    const [from, until] = [row.notBefore_s, row.expires_s].map((time_s) => new Date(time_s * 1_000).toISOString());
    yield csvRow([
      ...[id, meter, row.key, state, String(statusIndex), roles.join(" "), services.join(" ")],
      ...[from!, until!, point ?? ""],
    ]);
  }
}
