// The options by which the commands of the authority find its folder, its register, and its own key.

import { join } from "node:path";
import type { Command } from "commander";
import { registerOf } from "../../authority/folder.js";
import { type Register, withRegister } from "../../authority/register/register.js";
import { whole } from "../../terminal/arguments.js";
import type { PassphraseOptions } from "../../terminal/passphrase.js";

export interface AuthorityOptions {
  readonly network: string;
  readonly authority?: string;
}

export interface OwnKeyOptions extends AuthorityOptions, PassphraseOptions {}

/** Adds the options that say where network and authority are. */
export function withAuthority(command: Command): Command {
  return command
    .requiredOption("--network <dir>", "folder of the network")
    .option("--authority <dir>", "folder of its authority; that in the network's where absent");
}

/** Adds the option that has the authority's own key opened without a terminal. */
export function withPassphrase(command: Command): Command {
  return command.option(
    "--passphrase-fd <number>",
    "file descriptor to read the passphrase of the authority's own key from; it is asked for where absent",
    whole(0, 1_023),
  );
}

export function authorityFolder({ network, authority }: AuthorityOptions): string {
  return authority ?? join(network, "authority");
}

/** Runs `use` with the register of the authority that the options name. */
export function useRegister<Result>(
  options: AuthorityOptions,
  use: (register: Register) => Result | Promise<Result>,
): Promise<Result> {
  return withRegister(registerOf(authorityFolder(options)), use);
}
