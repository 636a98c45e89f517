// What a participant is called: its ID and its key id are told apart where nobody can be asked whose ID it is; elsewhere either is taken.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Command } from "commander";
import { registerSubject } from "../../tools/cli/access/subject.js";
import { registerExplain } from "../../tools/cli/credit/explain.js";
import { registerShow } from "../../tools/cli/operation/show.js";
import { participantText } from "../../tools/terminal/arguments.js";

const ID = "p-0123456789";

test("an ID in the place of a key id is refused with where the key id is, where no node is asked", () => {
  assert.equal(participantText("0123456789abcdef"), "0123456789abcdef");
  assert.throws(() => participantText(ID), /participant's key id.*not its ID: `authority list`/);
});

test("every command that takes a participant by its ID says what it takes to know it", async () => {
  const commands = [
    [
      registerSubject,
      "subject",
      "--as",
      ".",
      "--service",
      "1",
      "--meter",
      ID,
      "--participant",
      ID,
      "--from",
      "2026-01-01",
    ],
    [registerExplain, "explain", ID],
    [registerShow, "show", "--participant", ID, "--seq", "0", "--service", "1"],
  ] as const;
  for (const [register, ...args] of commands) {
    const program = new Command().exitOverride().configureOutput({ writeErr: () => {} });
    register(program);
    for (const each of program.commands) each.exitOverride().configureOutput({ writeErr: () => {} });
    const named = { code: "USAGE", message: /--api/ };
    await assert.rejects(program.parseAsync(args, { from: "user" }), named, args.join(" "));
  }
});
