// `gridseal access consent`, `object`, `withdraw` and `decide`: the answers to a request.

import { type Command, InvalidArgumentError } from "commander";
import { OBJECTIONS_MAX } from "../../market/access/types.js";
import { statedName } from "./names.js";
import { type AccessOptions, signAnswer, withAccessOptions } from "./sign-access.js";

export function registerConsent(access: Command): void {
  withAnswer(access, "consent", "consent to a request, as the meter's subject").action(
    (request: string, options: AccessOptions) => signAnswer(options, "consent", [request]),
  );
}

export function registerObject(access: Command): void {
  withAccessOptions(
    access
      .command("object")
      .description("object to requests, as the meter's subject")
      .argument("<request...>", `as \`access request\` has named them, at most ${OBJECTIONS_MAX}`, severalNames),
  ).action((requests: readonly string[], options: AccessOptions) => signAnswer(options, "objection", requests));
}

export function registerWithdraw(access: Command): void {
  withAnswer(
    access,
    "withdraw",
    "withdraw one's consent to a request, or one's own request or need",
    "`access request` or `access need`",
  ).action((request: string, options: AccessOptions) => signAnswer(options, "withdrawal", [request]));
}

export function registerDecide(access: Command): void {
  withAnswer(access, "decide", "decide a request, as the permission administrator")
    .option("--refuse", "refuse it; it is granted where absent")
    .action((request: string, { refuse, ...options }: AccessOptions & { readonly refuse?: true }) =>
      signAnswer(options, "decision", [request], [request, refuse !== true]),
    );
}

function severalNames(text: string, before: readonly string[] = []): readonly string[] {
  if (before.length === OBJECTIONS_MAX) throw new InvalidArgumentError(`At most ${OBJECTIONS_MAX} at once.`);
  return [...before, statedName(text)];
}

function withAnswer(access: Command, name: string, description: string, names = "`access request`"): Command {
  return withAccessOptions(
    access.command(name).description(description).argument("<request>", `as ${names} has named it`, statedName),
  );
}
