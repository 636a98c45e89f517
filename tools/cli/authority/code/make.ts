// `gridseal authority code make`: a one-time code, shown now and never again.

import { join } from "node:path";
import type { Command } from "commander";
import type { Role } from "../../../../src/wire/credential.js";
import { makeCode } from "../../../authority/enrolment/codes.js";
import { APPROVALS_MAX } from "../../../authority/register/enrolment-codes.js";
import { rolesFrom, serviceTexts, whole } from "../../../terminal/arguments.js";
import { pairs, printLines, timeText, toJson } from "../../../terminal/output.js";
import { servicesNamed } from "../../services.js";
import { type AuthorityOptions, useRegister, withAuthority } from "../authority-options.js";

interface MakeOptions extends AuthorityOptions {
  readonly role: readonly Role[];
  readonly services?: readonly string[];
  readonly jurisdiction?: string;
  readonly organisation?: string;
  readonly approvals: number;
  readonly days: number;
  readonly json?: true;
}

const DAYS_MAX = 90;
const DAY_S = 86_400;

export function registerMake(code: Command): void {
  withAuthority(
    code.command("make").description("make a one-time code and print it: it is kept nowhere, and not shown again"),
  )
    .requiredOption("--role <role>", "what may be asked for by it (repeatable)", rolesFrom)
    .option(
      "--services <numbers>",
      "services that may be asked for, by name or number, 1,heat,...; none where absent",
      serviceTexts,
    )
    .option("--jurisdiction <code>", "the only one that may be asked for, ISO 3166")
    .option("--organisation <id>", "whose participant it makes; a new organisation's where absent")
    .option(
      "--approvals <count>",
      "approvers that must grant it; with 0 who has the code is let in by these rules alone",
      whole(0, APPROVALS_MAX),
      1,
    )
    .option("--days <count>", "how long it is good", whole(1, DAYS_MAX), 14)
    .option("--json", "print JSON")
    .action(make);
}

async function make(options: MakeOptions): Promise<void> {
  const { role: roles, services = [], jurisdiction, organisation, approvals, days, json } = options;
  const now_s = Math.floor(Date.now() / 1_000);
  const terms = {
    ...{ roles, approvals, expires_s: now_s + days * DAY_S },
    services: await servicesNamed(services, join(options.network, "genesis.cbor")),
    ...(jurisdiction !== undefined && { jurisdiction }),
    ...(organisation !== undefined && { organisation }),
  };
  const { name, text } = await useRegister(options, (register) => makeCode(register, terms, now_s));
  printLines(
    json
      ? [toJson({ name, code: text, ...terms })]
      : pairs([
          ["code", text],
          ["name", name],
          ["for", roles.join(", ")],
          ["approvals", approvals],
          ["good until", timeText(terms.expires_s * 1_000)],
          [
            "next",
            "give it to the applicant on another way than the genesis: it is asked for where the enrolment is made",
          ],
        ]),
  );
}
