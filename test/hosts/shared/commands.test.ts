import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { answer, liveText } from "../../../hosts/shared/commands.js";
import type { Field, Setting } from "../../../hosts/shared/field.js";
import { createInput, typed } from "../../../hosts/shared/lines.js";
import { fromHex, toHex } from "../../../src/wire/bytes.js";
import { sha256 } from "../../../src/wire/hash.js";
import { holdingNonce } from "../../../src/wire/holding.js";
import { keyId } from "../../../src/wire/key.js";
import { verifyRequest } from "../../../src/wire/request.js";
import { publicKeyFromHex } from "../../../tools/authority/issue.js";
import { nodeVerify, signerFromSeed } from "../../../tools/crypto/signatures.js";
import { createSealer } from "../../../tools/firmware/sealer.js";
import { createNetwork } from "../../../tools/provisioning/network.js";
import { provisionMeter } from "../../../tools/provisioning/provision.js";

const sealer = createSealer("field");
const seed = new Uint8Array(32).fill(5);
const signer = signerFromSeed(seed);
const { key } = signer;
const document = {
  version: 1,
  network: "field",
  genesis: toHex(sealer.genesisBytes),
  brokers: ["mqtt://10.0.0.5:9201"],
  meter: { protocol: "p1", port: { kind: "serial", encryptionKey: "00112233445566778899aabbccddeeff" } },
  schedule: [{ service: 1, serviceId: 7, every_s: 900, aligned: true, registers: ["1-0:1.8.n"] }],
};

/** A device that does nothing but remember. */
function device(settings: Partial<Record<Setting, string>> = { configuration: JSON.stringify(document) }) {
  const stored = new Map(Object.entries(settings));
  const done: string[] = [];
  const field: Field = {
    shown: { state: "no meter", counters: { frames: 3, crc: 1 } },
    describe: () => ["network home, 10.0.0.7, -61 dBm", "last start after power on"],
    get: (setting) => stored.get(setting),
    set: (setting, value) => void stored.set(setting, value),
    remove: (setting) => void stored.delete(setting),
    mac: () => "0200deadbeef",
    uptime_ms: () => 4_711,
    signer: () => signer,
    credential: () => undefined,
    ca: () => undefined,
    storeCredential: (bytes) => void done.push(`credential ${toHex(bytes)}`),
    storeCa: (bytes) => void done.push(`ca ${toHex(bytes)}`),
    live: (duration_ms) => void done.push(`live ${duration_ms}`),
    update: () => void done.push("update"),
    restart: () => void done.push("restart"),
  };
  return { field, stored, done };
}

test("says what is wrong, what is counted and what there is", () => {
  const { field } = device();
  assert.equal(answer(field, "state"), "state no meter\nnetwork home, 10.0.0.7, -61 dBm\nlast start after power on");
  assert.equal(answer(field, " counters "), "frames 3\ncrc 1");
  for (const name of ["state", "counters", "live", "show", "set", "request", "credential", "wifi", "update", "restart"])
    assert.match(answer(field, "help"), new RegExp(`^${name} `, "m"));
  assert.match(answer(field, "reboot"), /^no command reboot: help lists them$/);
});

test("shows the configuration without its keys", () => {
  const shown = answer(device().field, "show");
  assert.match(shown, /"encryptionKey": "hidden"/);
  assert.doesNotMatch(shown, /00112233/);
  assert.match(
    shown,
    new RegExp(`"genesis": "${document.genesis.slice(0, 16)}\\.\\.\\. ${sealer.genesisBytes.length} bytes"`),
  );
  assert.equal(answer(device({}).field, "show"), "no configuration is stored");
});

test("stores a field or a whole configuration only where the agent would take it", () => {
  const { field, stored } = device();
  assert.match(answer(field, 'set brokers ["mqtt://b"]'), /^stored/);
  assert.deepEqual(JSON.parse(stored.get("configuration")!).brokers, ["mqtt://b"]);
  const before = stored.get("configuration");
  assert.equal(
    answer(field, 'set brokers ["ftp://b"]'),
    "not stored: $.brokers[0] must be mqtt://host:port or mqtts://host:port",
  );
  assert.equal(answer(field, "set colour 1"), "not stored: $.colour is no field of this document");
  assert.match(answer(field, "set brokers [oops"), /^set failed: /);
  assert.match(answer(field, "configuration {}"), /^not stored: \$\.version is missing/);
  assert.equal(stored.get("configuration"), before);
  assert.match(answer(field, `configuration ${JSON.stringify(document)}`), /^stored/);
});

test("the authority takes the request, and the meter takes the credential that comes of it", async (t) => {
  const parent = await mkdtemp(join(tmpdir(), "gridseal-"));
  t.after(() => rm(parent, { recursive: true, force: true }));
  const folder = join(parent, "network");
  const chains = [{ service: 1, name: "trading", nodes: [1] }];
  const plan = { network: "field", nodes: 1, chains, meters: 0, host: "127.0.0.1", basePort: 21_000, target: 0 };
  await createNetwork(folder, plan, new Date());
  const { field, done } = device({});
  const line = answer(field, "request")
    .split("\n")
    .find((each) => each.startsWith("gridseal "))!;
  const hex = / --public-key ([0-9a-f]+)$/.exec(line)![1]!;
  const terms = { network: folder, id: "meter-77", days: 30, force: false, publicKey: publicKeyFromHex(hex) };
  const { credential, row } = await provisionMeter(terms, new Date());
  assert.match(answer(field, "request"), new RegExp(`^meter ${row.meter}$`, "m"));
  assert.equal(
    answer(field, `credential ${toHex(credential)}`),
    "credential of meter-77, for a test network, stored: restart to use it",
  );
  assert.deepEqual(done, [`credential ${toHex(credential)}`]);
});

test("refuses a credential of another key, of another authority, and what is none", () => {
  const { field, done } = device();
  const other = signerFromSeed(new Uint8Array(32).fill(6));
  assert.equal(
    answer(field, `credential ${toHex(sealer.credential(other.key, [1]))}`),
    "not stored: it is for another meter's key",
  );
  const foreign = createSealer("elsewhere").credential(key, [1]);
  assert.match(
    answer(field, `credential ${toHex(foreign)}`),
    /^credential failed: credential is not signed by the authority/,
  );
  assert.match(answer(field, "credential d284"), /^credential failed: /);
  assert.equal(answer(field, "credential xyz"), "a credential is given in hex digits");
  assert.deepEqual(done, []);
  assert.match(answer(field, `credential ${toHex(sealer.credential(key, [1]))}`), /^credential of .* stored/);
});

test("tells what it holds by hash, and signs a request over that", () => {
  const ca = new Uint8Array(8).fill(3);
  const field: Field = { ...device().field, ca: () => ca, credential: () => new Uint8Array(1) };
  const { state, genesis, brokers, services, ...told } = JSON.parse(answer(field, "holds").replace(/^holds /, ""));
  assert.deepEqual([state, genesis], ["no meter", toHex(sealer.genesis.hash)]);
  assert.deepEqual(
    [told.mac, told.meter, told.sealed, told.ca],
    ["0200deadbeef", toHex(keyId(key)), 0, toHex(sha256(ca))],
  );
  const challenge = "0f".repeat(16);
  const asked = answer(field, `request m1 ${challenge}`);
  const request = verifyRequest(fromHex(asked.slice("request ".length))!, sealer.genesis.hash, nodeVerify);
  assert.deepEqual([request.id, request.roles, request.origin], ["m1", ["meter"], { key: "device" }]);
  const holding = { genesis: sealer.genesis.hash, brokers, services, ca: sha256(ca) };
  assert.deepEqual(request.nonce, holdingNonce(fromHex(challenge)!, holding));
  assert.notDeepEqual(request.nonce, holdingNonce(fromHex(challenge)!, { ...holding, brokers: ["mqtt://other"] }));
  for (const wrong of ["m1", "m1 0f", `m1 ${challenge}0f`])
    assert.match(answer(field, `request ${wrong}`), /challenge/);
  assert.match(answer(device({}).field, `request m1 ${challenge}`), /^no configuration/);
});

test("names the network and the time server, spaces and quotes included", () => {
  const { field, stored } = device({});
  answer(field, 'wifi "my home" "pass word 1"');
  assert.deepEqual([stored.get("ssid"), stored.get("password")], ["my home", "pass word 1"]);
  answer(field, "wifi open");
  assert.deepEqual([stored.get("ssid"), stored.get("password")], ["open", undefined]);
  for (const line of [
    `sntp ${"a".repeat(254)}`,
    "wifi",
    'wifi "open',
    "wifi a short",
    `wifi ${"a".repeat(33)}`,
    "wifi a b c",
    "sntp",
    "sntp a b",
  ])
    assert.doesNotMatch(answer(field, line), /stored/, line);
  assert.match(answer(field, "sntp time.example"), /^stored/);
});

test("stores the certificate of servers' authority, whole", () => {
  const { field, done } = device();
  const certificate = `30820004${"ab".repeat(4)}`;
  assert.match(answer(field, `ca ${certificate}`), /^stored/);
  for (const wrong of [certificate.slice(2), `${certificate}00`, "", "zz"])
    assert.match(answer(field, `ca ${wrong}`), /^a certificate is/);
  assert.deepEqual(done, [`ca ${certificate}`]);
});

test("live takes seconds, update and restart are done", () => {
  const { field, done } = device();
  for (const line of ["live", "live 5", "live 0", "update", "restart"]) answer(field, line);
  assert.deepEqual(done, ["live 60000", "live 5000", "live 0", "update", "restart"]);
  assert.match(answer(field, "live 9999"), /^live takes/);
  assert.match(answer({ ...field, update: undefined }, "update"), /no updates/);
});

test("telegrams are shown as text, other frames as hex", () => {
  assert.equal(liveText(new TextEncoder().encode("/ABC5\r\n\r\n1-0:1.8.1(1*kWh)\r\n")), "/ABC5\n\n1-0:1.8.1(1*kWh)");
  assert.equal(liveText(fromHex("1b1b1b1b01010101")!), "1b1b1b1b01010101");
});

test("whatever is typed is answered with text, and changes only what a command may change", () => {
  const names = [
    "state",
    "live",
    "show",
    "set",
    "configuration",
    "credential",
    "wifi",
    "sntp",
    "help",
    "__proto__",
    "constructor",
  ];
  const rest = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.json(),
    fc.constantFrom('"', '""', "brokers", "__proto__ {}", "id null", "{"),
  );
  const line = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.tuple(fc.constantFrom(...names), rest).map(([name, text]) => new TextEncoder().encode(`${name} ${text}\n`)),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 10 }), (lines) => {
      const { field, stored } = device();
      const input = createInput();
      for (const bytes of lines) {
        typed(input, bytes, (each) => {
          if (each.kind === "line") assert.equal(typeof answer(field, each.text), "string");
        });
      }
      // Nothing of this kind is a configuration that the agent takes.
      assert.equal(JSON.parse(stored.get("configuration")!).network, "field");
      for (const setting of stored.keys()) assert.ok(["configuration", "ssid", "password", "sntp"].includes(setting));
    }),
    { numRuns: 300 },
  );
});
