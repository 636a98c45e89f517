// `gridseal access`: what answers are called, and a folder that is read while somebody signs in it.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { toHex } from "../../../src/wire/bytes.js";
import { statedName } from "../../../tools/cli/access/names.js";
import { signAccess, signAnswer } from "../../../tools/cli/access/sign-access.js";
import { readParticipant, withParticipant } from "../../../tools/files/operations/participant-folder.js";
import { createNetwork } from "../../../tools/provisioning/network.js";
import { createParticipant } from "../../../tools/provisioning/participant.js";

const REQUEST = "0123456789abcdef-7";
let folder: string;
let anna: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "gridseal-names-"));
  const network = join(folder, "network");
  anna = join(folder, "anna");
  const chains = [
    { service: 3, name: "dispatch", nodes: [1] },
    { service: 5, name: "contracts", nodes: [1] },
  ];
  const place = { host: "127.0.0.1", basePort: 1, target: 0 };
  await createNetwork(network, { network: "names", nodes: 1, chains, meters: 0, ...place }, new Date());
  const plan = { network, id: "anna", role: "customer", services: [3], out: anna, algorithm: "Ed25519" } as const;
  await createParticipant(plan, new Date());
});
after(() => rm(folder, { recursive: true }));

const options = () => ({ as: anna, service: "dispatch" });
/** What a command prints; what the test's reporter writes meanwhile goes its way. */
function printedOf(t: TestContext): string[] {
  const printed: string[] = [];
  const write = process.stdout.write.bind(process.stdout);
  t.mock.method(process.stdout, "write", (text: string | Uint8Array) => {
    if (typeof text !== "string" || !/is signed\n|^next: /.test(text)) return write(text);
    return printed.push(text) > 0;
  });
  return printed;
}

const nextOf = () => withParticipant(anna, async ({ outbox }) => (await outbox(3)).outbox.next);

test("a consent is called by the request that it answers, and what calls it by its number is refused unsigned", async (t) => {
  const printed = printedOf(t);
  await signAnswer(options(), "consent", [REQUEST]);
  assert.equal(printed[0], `consent as to ${REQUEST} is signed\n`);
  const { kid } = await readParticipant(anna);
  const next = await nextOf();
  await assert.rejects(signAnswer(options(), "withdrawal", [`${toHex(kid)}-0`]), {
    code: "USAGE",
    message: new RegExp(`is your consent, .*: name ${REQUEST}`),
  });
  assert.equal(await nextOf(), next, "no number is used");
});

test("a need of one's own is withdrawn by its name", async (t) => {
  printedOf(t);
  const { kid } = await readParticipant(anna);
  const seq = await nextOf();
  await signAccess(options(), "need", [7, 31, "evening peaks"]);
  await signAnswer(options(), "withdrawal", [`${toHex(kid)}-${seq}`]);
  assert.equal(await nextOf(), seq + 2);
});

test("what is no name is refused as it is typed", () => {
  assert.equal(statedName(REQUEST), REQUEST);
  for (const text of ["anna", "0123456789abcdef", "0123456789abcdef-x", "0123456789ABCDEF-1"]) {
    assert.throws(() => statedName(text), /It must be a name/);
  }
});

test("who a folder is of can be read while somebody signs in it", async () => {
  await withParticipant(anna, async ({ kid }) => assert.deepEqual((await readParticipant(anna)).kid, kid));
});
