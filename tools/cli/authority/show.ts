// `gridseal authority show`: all that the register has of an ID or a key.

import type { Command } from "commander";
import { credentialsOf, type RegisterView } from "../../authority/register/rows.js";
import { GridsealError } from "../../errors.js";
import { pairs, printLines, secondText, toJson } from "../../terminal/output.js";
import { type AuthorityOptions, useRegister, withAuthority } from "./authority-options.js";
import { credentialView } from "./list.js";

interface ShowOptions extends AuthorityOptions {
  readonly json?: true;
}

export function registerShow(authority: Command): void {
  withAuthority(authority.command("show").description("show what is registered of an ID or a key"))
    .argument("<id>", "ID of a device, participant, point or organisation, or a key id")
    .option("--json", "print JSON")
    .action(show);
}

async function show(id: string, options: ShowOptions): Promise<void> {
  const found = await useRegister(options, (register) => viewOf(register, id));
  if (options.json) {
    printLines([toJson(found)]);
    return;
  }
  for (const [name, value] of Object.entries(found)) {
    if (name !== "credentials") printLines([name, ...indented(value as object)]);
  }
  for (const credential of found.credentials) printLines(["credential", ...indented(credential)]);
}

function viewOf(view: RegisterView, id: string) {
  const byKey = credentialsOf(view, "keys", id);
  const subject = byKey.at(-1)?.subject ?? id;
  const credentials = byKey.length > 0 ? byKey : credentialsOf(view, "subjects", id);
  const entries = {
    organisation: view.get("organisations", id),
    participant: view.get("participants", subject),
    registrar: view.get("registrars", subject),
    device: view.get("devices", subject),
    point: view.get("points", id),
    assignment: view.get("assignments", subject),
  };
  const known = Object.fromEntries(Object.entries(entries).filter(([, row]) => row !== undefined));
  if (Object.keys(known).length === 0 && credentials.length === 0) {
    throw new GridsealError("NOT_FOUND", `the register has nothing named ${id}`);
  }
  const now_s = Math.floor(Date.now() / 1_000);
  return { ...known, credentials: credentials.map((row) => credentialView(view, row, now_s)) };
}

function indented(row: object): string[] {
  const stated = Object.entries(row).filter(([, value]) => value !== undefined);
  return pairs(stated.map(([name, value]) => shown(name, value))).map((line) => `  ${line}`);
}

/** Times as people read them; JSON keeps their seconds. */
function shown(name: string, value: unknown): readonly [string, string | number] {
  if (name.endsWith("_s") && typeof value === "number") return [name.slice(0, -2), secondText(value)];
  return [name, Array.isArray(value) ? value.join(", ") : (value as string)];
}
