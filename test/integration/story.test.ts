// The demo's community on real nodes, as README has it: within two minutes shares, an auction, a check that curtails, a countersigned
// contract, a breach, a rating that falls, a limit that takes effect, and bills; then the commands that show it, and every chain verified.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { freeBasePort, openNetwork, verifyChains } from "./network.js";
import {
  cleanUp,
  gridseal,
  gridsealInTerminal,
  startGridseal,
  temporaryFolder,
  until,
  withoutTerminal,
} from "./processes.js";

/** What is told, in any order, each of at most 80 columns. */
const told = {
  founding: /trading +Sun street is founded: proportional/,
  membership: /trading +anna joins with meter [0-9a-f]{16}/,
  shares: /trading +\d\d:\d\d:\d\d covered 0\.\d{6} of 0\.\d{6} kWh, 0\.\d{6} left/,
  auction: /trading +\S+ 0\.\d{6} kWh trade at 0\.09000, 3 of 3 bids opened/,
  curtailment: /dispatch +\S+ curtailed, [\d.]+ % are carried: line 1 is at its limit/,
  signature: /dispatch +\S+ the grid operator signs contract \d/,
  breach: /dispatch +works was to feed in 0\.\d{6}, and did -0\.\d{6}: a breach/,
  rating: /credit +works is rated [BC]+, \d+ of 1000/,
  limit: /trading +works is \S+ and may owe 0\.26666/,
  denial: /trading +works bids for more than it may owe: denied/,
  study: /mining +load-curve of 3 homes up to block \d+ is sealed: [0-9a-f]{8}/,
  bill: /trading +works: final bill 0\.\d{5}, 0\.\d{6} kWh, 0\.\d{6} solar/,
};
const PATIENCE_MS = 180_000;
const trading = ["--service", "trading"];

/** What is told of the chains, without the counts between. */
function storyOf(output: string): string {
  return output
    .split("\n")
    .filter((line) => / s {2}(?:trading|credit|dispatch|mining) /.test(line))
    .join("\n");
}

test("the demo's community tells its story, and commands show what is sealed of it", {
  timeout: 480_000,
}, async (t) => {
  const defer = cleanUp(t);
  const folder = join(await temporaryFolder(defer), "demo");
  const port = String(await freeBasePort(4));
  const demo = startGridseal(defer, "demo", "--meters", "3", "--data", folder, "--base-port", port);
  const isOver = () => !demo.isRunning;
  for (const [what, line] of Object.entries(told)) {
    await until(`${what} is told`, () => isOver() || line.test(demo.output), PATIENCE_MS).catch(() => {});
    assert.match(storyOf(demo.output), line, `${what} is not told within ${PATIENCE_MS / 1_000} s`);
  }
  const api = /^look at it at (http:\S+)\/$/m.exec(demo.output)![1]!;
  assert.deepEqual(
    storyOf(demo.output)
      .split("\n")
      .filter((line) => line.length > 80),
    [],
    "no line is longer than a terminal is wide",
  );
  const network = await openNetwork(defer, folder);
  const shows = async (pattern: RegExp, ...args: readonly string[]) => {
    const { status, output, errors } = await gridseal(...args, "--api", api);
    assert.equal(status, 0, `${args.join(" ")}: ${errors}`);
    assert.match(output, pattern, args.join(" "));
    return output;
  };
  await t.test("the commands of README show it", async () => {
    await shows(/Sun street/, "market", "community", "show", "sun");
    await shows(/dispatch\/deviation/, "violation", "list", "--rule", "dispatch/deviation");
    await shows(/curtailed/, "state", "get", "transmission/0", "--service", "dispatch", "--contract", "dispatch");
    const limits = await shows(/limit\//, "state", "list", "limit/", "--service", "trading", "--contract", "auction");
    const [, works] = /limit\/([0-9a-f]{16})/.exec(limits) ?? [];
    await shows(/as the chain has it/, "credit", "explain", works!, "--genesis", network.genesis);
    const made = [join(folder, "study", "study.json"), join(folder, "study", "tables")];
    const [, study] = /^([0-9a-f]{16}-\d+) /m.exec(await shows(/sealed/, "study", "list"))!;
    await shows(/^the same/, "study", "verify", ...made, "--study", study!, "--genesis", network.genesis);
    await shows(/community/, "contract", "list", "--genesis", network.genesis);
    const shown = await shows(/begins/, "market", "community", "show", "sun", "--json");
    const { begins } = JSON.parse(shown) as { readonly begins: readonly number[] };
    const period = ["--period", new Date(1_000 * begins[0]!).toISOString().replace(".000Z", "Z")];
    await shows(/covered/, "market", "bill", "show", "sun", ...period, "--genesis", network.genesis);
  });
  await t.test("the guest's operation is sealed, and the next command is named", async () => {
    const guest = /--as (\S+guest)$/m.exec(demo.output)![1]!;
    const asked = ["--service", "trading", "--type", "40000", "--body", '{"asks": "less"}'];
    const signed = await gridseal("operation", "sign", "--as", guest, ...asked);
    assert.match(signed.output, /next: gridseal operation submit --as \S+guest/);
    await shows(
      /is sealed in block [\s\S]*next: gridseal receipt verify/,
      "operation",
      "submit",
      "--as",
      guest,
      "--wait",
    );
    await shows(/operation 0 of participant/, "operation", "show", "--participant", "guest", "--seq", "0", ...trading);
  });
  await t.test("what commands print fits a terminal of 80 columns", { skip: withoutTerminal }, async () => {
    const genesis = ["--genesis", network.genesis];
    const commands = [
      ["chain", "list"],
      ["chain", "show", "1", ...trading],
      ["chain", "slots", ...trading],
      ["chain", "slots", ...trading, "--meter", "meter-1"],
      ["chain", "audit", ...genesis],
      ["market", "community", "show", "sun"],
      ["order", "list", ...genesis],
      ["contract", "list", ...genesis],
      ["network", "show", ...genesis],
      ["violation", "list", "--rule", "dispatch/deviation", "--limit", "3"],
      ["record", "list", "--meter", "meter-1", ...trading, "--limit", "3"],
      ["meter", "list"],
    ];
    for (const args of commands) {
      const { status, output } = await gridsealInTerminal(80, ...args, "--api", api);
      assert.equal(status, 0, `${args.join(" ")}: ${output}`);
      // Progress is drawn over; a word that is longer stays whole, so that it can be copied.
      const lines = output.split("\n").map((line) => line.split("\x1b[K").at(-1)!);
      const wide = lines.filter((line) => line.length > 80 && line.trim().includes(" "));
      assert.deepEqual(wide, [], args.join(" "));
      assert.doesNotMatch(output, /\b1[6-9]\d{8}(\d{3})?\b/, `${args.join(" ")}: times are told as people read them`);
      assert.match(output, /checked/, `${args.join(" ")}: says what it rests on`);
    }
  });
  const { status, output, errors } = await demo.stop();
  assert.equal(status, 0, `${output}\n${errors}`);
  await verifyChains(network);
});
