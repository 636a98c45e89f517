// What a participant is called: the register's name and the key's id are told apart where one is taken for the other.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Command } from "commander";
import { registerSubject } from "../../tools/cli/access/subject.js";
import { registerExplain } from "../../tools/cli/credit/explain.js";
import { registerShow } from "../../tools/cli/operation/show.js";
import { participantText } from "../../tools/terminal/arguments.js";

const NAME = "p-0123456789";

test("the register's name in the place of a key's id is refused with where the id is", () => {
  assert.equal(participantText("0123456789abcdef"), "0123456789abcdef");
  assert.throws(() => participantText(NAME), /id of the participant's key.*not its name.*`authority list`/);
});

test("every command that takes a participant says so before it does anything", async () => {
  const commands = [
    [registerSubject, "subject", "--meter", "0123456789abcdef", "--participant", NAME, "--from", "2026-01-01"],
    [registerExplain, "explain", NAME],
    [registerShow, "show", "--participant", NAME],
  ] as const;
  for (const [register, ...args] of commands) {
    const program = new Command().exitOverride().configureOutput({ writeErr: () => {} });
    register(program);
    for (const each of program.commands) each.exitOverride().configureOutput({ writeErr: () => {} });
    await assert.rejects(program.parseAsync(args, { from: "user" }), /not its name in the register/, args.join(" "));
  }
});
