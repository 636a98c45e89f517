// `gridseal authority audit`: whether the register is what its log says, and the log whole up to a head that is known.

import { type Command, InvalidArgumentError } from "commander";
import { auditRegister } from "../../authority/register/audit.js";
import type { LogHead } from "../../authority/register/log.js";
import { GridsealError } from "../../errors.js";
import { pairs, printLines, toJson } from "../../terminal/output.js";
import { type AuthorityOptions, useRegister, withAuthority } from "./authority-options.js";

interface AuditOptions extends AuthorityOptions {
  readonly head?: LogHead;
  readonly json?: true;
}

export function registerAudit(authority: Command): void {
  withAuthority(authority.command("audit").description("check the register against its log"))
    .option("--head <number:hash>", "head of an earlier audit, which the log must still have", headFrom)
    .option("--json", "print JSON")
    .action(audit);
}

function headFrom(text: string): LogHead {
  const [, number, hash] = /^([0-9]{1,12}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (hash === undefined) throw new InvalidArgumentError("It must be NUMBER:HASH, as an audit prints it.");
  return { number: Number(number), hash };
}

async function audit(options: AuditOptions): Promise<void> {
  const { head, issued, problems } = await useRegister(options, (register) => auditRegister(register, options.head));
  printLines(
    options.json
      ? [toJson({ head: `${head.number}:${head.hash}`, issued, problems })]
      : pairs([
          ["head", `${head.number}:${head.hash}`],
          ["credentials", issued],
          ["register", problems.length === 0 ? "good" : "BAD"],
        ]),
  );
  const [first] = problems;
  if (first === undefined) return;
  const more = problems.length === 1 ? "" : `, and ${problems.length - 1} more`;
  throw new GridsealError("REGISTER_DAMAGED", `the register is not what its log says: ${first}${more}`);
}
