// `gridseal violation show` of one that who asks may not see: why, and what to do, in the place of an error.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { createJudge } from "../../node/admission/holders.js";
import { createNodeApi } from "../../node/api/api.js";
import { SERVICE } from "../../node/chain/cluster.js";
import { command } from "../command.js";

async function show(...options: readonly string[]) {
  const child = spawn(process.execPath, [command, "violation", "show", `${SERVICE}:1:0`, ...options]);
  let [output, errors] = ["", ""];
  child.stdout.on("data", (text) => (output += text));
  child.stderr.on("data", (text) => (errors += text));
  const [status] = (await once(child, "close")) as [number];
  return { output, errors, status };
}

test("one that is not shown to who asks is told of with the reason and what to do", async (t) => {
  const { judge } = createJudge();
  const admission = {
    ...{ isAsked: true, judge: (token: string) => judge.judge(token, []), services: () => [SERVICE] },
    objection: () => undefined,
    readersOf: () => undefined,
  };
  const { base } = await createNodeApi(t, {}, admission);
  const { output, errors, status } = await show("--api", base);
  assert.deepEqual([errors, status], ["", 1]);
  assert.match(output, /^violation +1:1:0\nnot shown to you +.*holders of a credential alone.*\nnext +/);
  const told = JSON.parse((await show("--api", base, "--json")).output) as { readonly [name: string]: unknown };
  assert.deepEqual([told.violation, told.shown], ["1:1:0", false]);
});
