import assert from "node:assert/strict";
import { dirname, join } from "node:path/posix";
import { test } from "node:test";
import { type Protocol, protocols } from "../../src/meter/reader.js";
import { root } from "../../tools/firmware/builds.js";
import { compileSources, leftOutBy, type Part } from "../../tools/firmware/compile.js";

/** The firmware's modules, each by its name, without these parts. */
const built = async (leftOut: readonly Part[]): Promise<ReadonlyMap<string, string>> =>
  new Map((await compileSources(root, "noble", leftOut)).map(({ name, code }) => [name, code]));
const whole = await built([]);

test("the firmware has what the meter reaches, and neither modules nor exports that only nodes use", () => {
  const modules = whole;
  for (const name of ["src/main.js", "src/agent/agent.js", "hosts/esp32/host.js", "hosts/simulator/window.js"])
    assert.ok(modules.has(name), name);
  assert.ok(!modules.has("src/wire/batch.js"), "temporary blocks are the nodes' own");
  const receipt = modules.get("src/wire/receipt.js")!;
  assert.match(receipt, /\bas decodeReceipt\b/);
  assert.doesNotMatch(receipt, /receiptEncoder/);
  assertLinked(modules);
  for (const [name, code] of modules) assert.doesNotMatch(code, /^\s*(?:interface|declare) /m, `${name} is JavaScript`);
});

/** Every import is of a module that is there, of the SDK's or of a library's. */
function assertLinked(modules: ReadonlyMap<string, string>): void {
  for (const [name, code] of modules) {
    for (const [, path] of code.matchAll(/from ['"]([^'"]+)['"]/g)) {
      if (path!.startsWith(".")) assert.ok(modules.has(join(dirname(name), path!)), `${name} imports ${path}`);
      else assert.match(path!, /^(?:[\w/-]+|@noble\/.*|embedded:.*)$/, `${name} imports ${path}`);
    }
  }
}

/** What makes the protocol's reader, by protocol. */
const makers: Readonly<Record<Protocol, string>> = {
  ...{ p1: "createP1Reader", sml: "createSmlReader", hdlc: "createHdlcReader", mbus: "createMbusReader" },
  ...{ d0: "createD0Reader", pulse: "createPulseReader", modbus: "createModbusReader" },
  ...{ tic: "createTicReader", push: "createBareReader" },
};

test("a manifest leaves protocols out, and what only they need", async () => {
  const halves = [
    ["tic", "mbus", "hdlc", "push"],
    ["p1", "sml", "d0", "pulse", "modbus"],
  ] as const satisfies readonly (readonly Protocol[])[];
  assert.deepEqual(halves.flat().sort(), [...protocols].sort());
  const [small, other] = await Promise.all(halves.map(built));
  for (const modules of [small!, other!]) assertLinked(modules);
  for (const protocol of protocols) {
    const isInSmall = !halves[0].some((leftOut) => leftOut === protocol);
    const made = new RegExp(`\\bexport \\{[^}]*\\b${makers[protocol]}\\b`);
    const found = [whole, small!, other!].map((modules) =>
      [...modules].some(([name, code]) => !name.includes("/left-out-") && made.test(code)),
    );
    assert.deepEqual(found, [true, isInSmall, !isInSmall], protocol);
  }
  for (const name of ["src/meter/tic/reader.js", "src/meter/mbus/records.js", "src/meter/dlms/axdr.js"])
    assert.ok(whole.has(name) && !small!.has(name), name);
  const folders = (modules: ReadonlyMap<string, string>): string[] => [
    ...new Set([...modules.keys()].map((name) => dirname(name)).filter((folder) => folder.startsWith("src/"))),
  ];
  for (const modules of [small!, other!])
    assert.deepEqual(folders(modules).sort(), folders(whole).sort(), "the manifest names each");
  assert.ok(small!.has("src/meter/p1/reader.js") && small!.has("src/meter/dlms/time.js"), "EMI's clock is of DLMS");
  assert.deepEqual(leftOutBy({ leftOut: ["tic", "improv"] }), ["tic", "improv"]);
  assert.deepEqual(leftOutBy({}), []);
  assert.throws(() => leftOutBy({ leftOut: ["abacus"] }), /leaves out abacus: expected p1/);
});

test("a manifest leaves out Improv, and the console does without it", async () => {
  const improv = ["hosts/esp32/improv.js", "hosts/shared/improv.js"];
  assert.ok(improv.every((name) => whole.has(name)));
  const modules = await built(["improv"]);
  assertLinked(modules);
  assert.ok(!improv.some((name) => modules.has(name)));
  assert.doesNotMatch(modules.get("hosts/esp32/host.js")!, /Improv/);
});

test("the firmware reads no order but the one that adds a chain", () => {
  assert.ok(whole.has("src/wire/founding-order.js"));
  assert.ok(!whole.has("src/wire/order.js"));
});
