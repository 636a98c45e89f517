// `gridseal completion`: a script by which a shell completes this command.

import { Argument, type Command } from "commander";
import { printText } from "../../terminal/output.js";
import { type Shell, scriptFor, shells } from "./scripts.js";
import { completedOf } from "./tree.js";

export function registerCompletion(program: Command): void {
  program
    .command("completion")
    .description("print a script that completes this command in a shell")
    .addArgument(new Argument("<shell>", "the shell").choices(shells))
    .action((shell: Shell) => void printText(scriptFor(shell, completedOf(program))));
}
