// `gridseal authority audit`: whether the register is what its log says, and the log whole up to a head that is known.

import { type Command, InvalidArgumentError } from "commander";
import { toHex } from "../../../src/wire/bytes.js";
import { auditRegister } from "../../authority/register/audit.js";
import type { LogHead } from "../../authority/register/log.js";
import { GridsealError } from "../../errors.js";
import { pairs, printLines, toJson } from "../../terminal/output.js";
import { useRegister, withAuthority } from "./authority-options.js";
import { type GovernanceOptions, governanceFor } from "./governance.js";

interface AuditOptions extends GovernanceOptions {
  readonly head?: LogHead;
  readonly json?: true;
}

export function registerAudit(authority: Command): void {
  withAuthority(authority.command("audit").description("check the register against its log"))
    .option("--head <number:hash>", "head of an earlier audit, which the log must still have", headFrom)
    .option("--api <url>", "API of a node, whose sealed orders name a head that the log must still have")
    .option("--data <dir>", "a node's data folder instead")
    .option("--json", "print JSON")
    .action(audit);
}

function headFrom(text: string): LogHead {
  const [, number, hash] = /^([0-9]{1,12}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (hash === undefined) throw new InvalidArgumentError("It must be NUMBER:HASH, as an audit prints it.");
  return { number: Number(number), hash };
}

async function audit(options: AuditOptions): Promise<void> {
  const known = options.head ?? (await sealedHead(options));
  const { head, issued, problems } = await useRegister(options, (register) => auditRegister(register, known));
  printLines(
    options.json
      ? [toJson({ head: `${head.number}:${head.hash}`, issued, known, problems })]
      : pairs([
          ["head", `${head.number}:${head.hash}`],
          ["credentials", issued],
          ["compared with", known === undefined ? "no head: name one, or a node" : `${known.number}:${known.hash}`],
          ["register", problems.length === 0 ? "good" : "BAD"],
        ]),
  );
  const [first] = problems;
  if (first === undefined) return;
  const more = problems.length === 1 ? "" : `, and ${problems.length - 1} more`;
  throw new GridsealError("REGISTER_DAMAGED", `the register is not what its log says: ${first}${more}`);
}

/** The newest head that a sealed order names, by the node that the options name. */
async function sealedHead(options: AuditOptions): Promise<LogHead | undefined> {
  if (options.api === undefined && options.data === undefined) return undefined;
  const { register } = await governanceFor(options);
  if (register !== undefined) return { number: register.entry, hash: toHex(register.hash) };
  throw new GridsealError(
    "NOT_FOUND",
    "no sealed order names a head of the register: `gridseal authority order register`",
  );
}
