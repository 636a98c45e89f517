// `gridseal authority register`: enters organisations, participants, measuring points and devices into the register.

import { type Command, Option } from "commander";
import { checkIssuedId } from "../../authority/issue.js";
import type { Change } from "../../authority/register/changes.js";
import { keyIdText } from "../../terminal/arguments.js";
import { printLines, toJson } from "../../terminal/output.js";
import { type AuthorityOptions, useRegister, withAuthority } from "./authority-options.js";

interface RegisterOptions extends AuthorityOptions {
  readonly name?: string;
  readonly eic?: string;
  readonly gln?: string;
  readonly contact?: string;
  readonly organisation?: string;
  readonly scheme?: string;
  readonly lot?: string;
  readonly key?: string;
  readonly owner?: string;
  readonly json?: true;
}

const contact = () => new Option("--contact <text>", "whom to ask; stays in the register");
const organisation = () => new Option("--organisation <id>", "the organisation it belongs to");

export function registerRegister(authority: Command): void {
  const register = authority.command("register").description("enter somebody or something into the register");
  entering(register.command("organisation").description("a firm or office"))
    .requiredOption("--name <text>", "its name")
    .option("--eic <code>", "its Energy Identification Code")
    .option("--gln <code>", "its Global Location Number")
    .addOption(contact())
    .action((id: string, { name = "", eic, gln, contact: whom, ...options }: RegisterOptions) =>
      enter(id, options, { type: "organisation", organisation: { id, name, ...given({ eic, gln, contact: whom }) } }),
    );
  entering(register.command("participant").description("who signs operations, for an organisation"))
    .addOption(organisation().makeOptionMandatory())
    .addOption(contact())
    .action((id: string, { organisation: of = "", contact: whom, ...options }: RegisterOptions) =>
      enter(id, options, { type: "participant", participant: { id, organisation: of, ...given({ contact: whom }) } }),
    );
  entering(register.command("point").description("a measuring point"))
    .requiredOption("--scheme <code>", "who numbers it: the coding scheme of its ID")
    .addOption(organisation())
    .action((id: string, { scheme = "", organisation: of, ...options }: RegisterOptions) =>
      enter(id, options, { type: "point", point: { id, scheme, ...given({ organisation: of }) } }),
    );
  entering(register.command("device").description("a meter or gateway, before it has a credential"))
    .option("--lot <name>", "the lot that it was made in")
    .option("--key <id>", "key id that its maker attests", keyIdText)
    .option("--owner <organisation>", "the organisation that owns it")
    .action((id: string, { lot, key, owner, ...options }: RegisterOptions) => {
      checkIssuedId(id);
      return enter(id, options, { type: "device", device: { id, ...given({ lot, key, owner }) } });
    });
}

function entering(command: Command): Command {
  return withAuthority(command.argument("<id>", "its ID")).option("--json", "print JSON");
}

/** The members that have a value. */
function given<Members extends object>(members: Members): { [Name in keyof Members]?: NonNullable<Members[Name]> } {
  const stated = Object.entries(members).filter(([, value]) => value !== undefined);
  return Object.fromEntries(stated) as { [Name in keyof Members]?: NonNullable<Members[Name]> };
}

async function enter(id: string, options: RegisterOptions, change: Change): Promise<void> {
  const head = await useRegister(options, (register) => {
    register.update(Math.floor(Date.now() / 1_000), () => [change]);
    return register.head;
  });
  printLines([
    options.json
      ? toJson({ type: change.type, id, entry: head.number, hash: head.hash })
      : `${change.type} ${id} is registered, entry ${head.number}`,
  ]);
}
