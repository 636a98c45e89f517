// `gridseal access consent`, `object`, `withdraw` and `decide`: the answers to a request.

import type { Command } from "commander";
import { type AccessOptions, signAccess, withAccessOptions } from "./sign-access.js";

export function registerConsent(access: Command): void {
  withAnswer(access, "consent", "consent to a request, as the meter's subject").action(
    (request: string, options: AccessOptions) => signAccess(options, "consent", [request]),
  );
}

export function registerObject(access: Command): void {
  withAnswer(access, "object", "object to a request, as the meter's subject").action(
    (request: string, options: AccessOptions) => signAccess(options, "objection", [request]),
  );
}

export function registerWithdraw(access: Command): void {
  withAnswer(access, "withdraw", "withdraw a consent, or one's own request or need").action(
    (request: string, options: AccessOptions) => signAccess(options, "withdrawal", [request]),
  );
}

export function registerDecide(access: Command): void {
  withAnswer(access, "decide", "decide a request, as the permission administrator")
    .option("--refuse", "refuse it; it is granted where absent")
    .action((request: string, { refuse, ...options }: AccessOptions & { readonly refuse?: true }) =>
      signAccess(options, "decision", [request, refuse !== true]),
    );
}

function withAnswer(access: Command, name: string, description: string): Command {
  return withAccessOptions(
    access.command(name).description(description).argument("<request>", "as `access request` has named it"),
  );
}
