// The provisioning of meters, killed anywhere and run again, against the real commands of a meter's console: never two IDs for one
// meter, none lost, and nothing certified that a meter was not given.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { answer } from "../../../hosts/shared/commands.js";
import type { Field, Setting } from "../../../hosts/shared/field.js";
import { toHex } from "../../../src/wire/bytes.js";
import { parseCredential } from "../../../src/wire/credential.js";
import { keyId } from "../../../src/wire/key.js";
import { readRequest } from "../../../src/wire/request.js";
import { nodeVerify, signerFromSeed } from "../../../tools/crypto/signatures.js";
import { createSealer } from "../../../tools/firmware/sealer.js";
import { holdingIn } from "../../../tools/provisioning/console/holding.js";
import {
  createProvisioning,
  type Effect,
  type Input,
  type Outcome,
  type Plan,
  requestIn,
  step,
} from "../../../tools/provisioning/console/step.js";
import { meterConfiguration } from "../../../tools/provisioning/meter-configuration.js";

const sealer = createSealer("bench");
const certificate = Buffer.from(`30820004${"ab".repeat(4)}`, "hex");
const RECORD_AFTER_MS = 3_000;

const plan: Plan = {
  genesisHash: sealer.genesis.hash,
  brokers: ["mqtt://10.0.0.5:9201"],
  services: [1, 2],
  ca: Uint8Array.from(certificate),
  wifi: { ssid: "the site", password: "long enough" },
  lot: "L1",
  configurationOf: (meter, place) =>
    JSON.stringify(
      meterConfiguration(sealer.genesis, sealer.genesisBytes, meter, {
        ...{ services: [1, 2], brokers: ["mqtt://10.0.0.5:9201"], number: place },
        meter: { protocol: "auto", port: { kind: "serial" } },
      }),
    ),
  ...{ until: "sealed", isDry: false, takesOver: false, firstRecord_ms: 60_000, verify: nodeVerify },
};

/** A meter with the console's real commands, whose storage outlives restarts, and a wire that may be cut. */
function createMeter(number: number) {
  const signer = signerFromSeed(new Uint8Array(32).fill(number + 1));
  const settings = new Map<Setting, string>();
  const stored: { credential?: Uint8Array; ca?: Uint8Array } = {};
  const clock = { now_ms: 0, started_ms: 0 };
  const running = { configuration: undefined as string | undefined, credential: undefined as Uint8Array | undefined };
  const shown = { state: "configuration refused", counters: {} as Record<string, number> };
  const field: Field = {
    shown,
    describe: () => [],
    mac: () => `02:00:00:00:00:0${number}`,
    uptime_ms: () => clock.now_ms - clock.started_ms,
    get: (setting) => settings.get(setting),
    set: (setting, value) => void settings.set(setting, value),
    remove: (setting) => void settings.delete(setting),
    signer: () => signer,
    credential: () => stored.credential,
    storeCredential(credential) {
      stored.credential = credential;
    },
    ca: () => stored.ca,
    storeCa(ca) {
      stored.ca = ca;
    },
    live() {},
    update: undefined,
    restart() {
      clock.started_ms = clock.now_ms;
      running.configuration = settings.get("configuration");
      running.credential = stored.credential;
      shown.counters = {};
    },
  };
  return {
    ...{ signer, stored, settings, clock, running, field },
    type(line: string): string {
      const works = running.configuration !== undefined && running.credential !== undefined;
      if (works && field.uptime_ms() > RECORD_AFTER_MS) shown.counters = { sealed: 1 };
      shown.state = works ? "healthy" : running.configuration === undefined ? "configuration refused" : "no credential";
      return answer(field, line);
    },
  };
}
type Meter = ReturnType<typeof createMeter>;

/** The authority and the bench, of which what was answered or written stays. */
function createOffice(ids: readonly string[]) {
  const byMac = new Map<string, string>();
  const issued = new Map<string, { readonly kid: string; readonly credential: Uint8Array }>();
  let issues = 0;
  return {
    ...{ byMac, issued },
    assign(mac: string): Input {
      const id = byMac.get(mac) ?? ids.find((each) => ![...byMac.values()].includes(each))!;
      byMac.set(mac, id);
      return { kind: "assigned", id, place: ids.indexOf(id) + 1 };
    },
    certify(bytes: Uint8Array): Input {
      const request = readRequest(bytes, sealer.genesis.hash);
      const kid = toHex(keyId(request.key));
      const known = issued.get(request.id);
      if (known !== undefined && known.kid !== kid)
        return { kind: "refused", code: "REQUESTS_REFUSED", reason: "taken" };
      const other = [...issued].find(([id, each]) => each.kid === kid && id !== request.id);
      if (other !== undefined) return { kind: "refused", code: "REQUESTS_REFUSED", reason: "another ID" };
      if (known === undefined) {
        issues += 1;
        issued.set(request.id, { kid, credential: sealer.credential(request.key, request.services) });
      }
      return { kind: "certified", credential: issued.get(request.id)!.credential };
    },
    get issues() {
      return issues;
    },
  };
}
type Office = ReturnType<typeof createOffice>;

interface Run {
  readonly meter: Meter;
  readonly office: Office;
  readonly with?: Partial<Plan>;
  /** performs so many effects and then is no more */
  readonly effects_max?: number;
  /** what becomes of a line on the wire; the answer is lost where it gives nothing */
  readonly wire?: (line: string) => string;
  /** from this line on, until the other has been typed, the meter is busy: then it answers all of them at once */
  readonly busy?: readonly [number, number];
}

/** Runs a provisioning to its end, or to where it is killed. */
function provision({
  meter,
  office,
  effects_max = Number.POSITIVE_INFINITY,
  wire = (line) => line,
  ...run
}: Run): Outcome | "killed" {
  const state = createProvisioning({ ...plan, ...run.with }, new Uint8Array(16).fill(7));
  const inputs: Input[] = [{ kind: "started" }];
  const late: Input[] = [];
  const busy = run.busy ?? [0, 0];
  let [effects, lines] = [0, 0];
  for (let turn = 0; turn < 2_000; turn += 1) {
    const input = inputs.shift();
    // Nothing has come: time goes on to the timer.
    if (input === undefined) meter.clock.now_ms += 1_000;
    for (const effect of step(state, input ?? { kind: "timer" }, meter.clock.now_ms)) {
      if (effects === effects_max) return "killed";
      effects += 1;
      if (effect.kind === "end") return effect.outcome;
      if (effect.kind === "type") lines += effect.lines.length;
      const isBusy = effect.kind === "type" && lines >= busy[0] && lines < busy[1];
      if (effect.kind === "type" && !isBusy) inputs.push(...late.splice(0));
      perform(effect, { meter, office, wire, inputs: isBusy ? late : inputs });
    }
  }
  throw new Error(`it does not end: ${state.phase}`);
}

function perform(
  effect: Effect,
  { meter, office, wire, inputs }: { meter: Meter; office: Office; wire: (line: string) => string; inputs: Input[] },
): void {
  if (effect.kind === "assign") inputs.push(office.assign(effect.mac));
  else if (effect.kind === "certify") inputs.push(office.certify(effect.request));
  else if (effect.kind === "type") {
    for (const typed of effect.lines) {
      const line = wire(typed);
      if (line === "") continue;
      for (const told of meter.type(line.replace("\u001b", "")).split("\n")) {
        const holding = holdingIn(told);
        const request = requestIn(told);
        if (holding !== undefined) inputs.push({ kind: "told", holding });
        else if (request !== undefined) inputs.push({ kind: "requested", request });
        else inputs.push({ kind: "said", text: told });
      }
    }
  }
}

/** What must hold whatever has happened. */
function assertSound(meters: readonly Meter[], { byMac, issued }: Office): void {
  assert.equal(new Set(byMac.values()).size, byMac.size, "an ID for two meters");
  for (const [id, { kid }] of issued) {
    const owner = meters.find(({ signer }) => toHex(keyId(signer.key)) === kid)!;
    assert.equal(byMac.get(owner.field.mac()!.replaceAll(":", "")), id, "certified under another ID than it has");
  }
  for (const { stored, signer } of meters) {
    if (stored.credential !== undefined) assert.deepEqual(parseCredential(stored.credential).key, signer.key);
  }
}

test("a new meter gets its ID, holds all that it must, and is provisioned when its first record is sealed", () => {
  const [meter, office] = [createMeter(1), createOffice(["m-1"])];
  const outcome = provision({ meter, office });
  assert.deepEqual(
    [outcome !== "killed" && outcome.type, outcome !== "killed" && outcome.id, outcome !== "killed" && outcome.mac],
    ["provisioned", "m-1", "020000000001"],
  );
  assert.deepEqual(meter.stored.ca, plan.ca);
  assert.deepEqual(meter.stored.credential, office.issued.get("m-1")!.credential);
  assert.deepEqual([meter.settings.get("ssid"), meter.settings.get("password")], ["the site", "long enough"]);
  assert.equal(meter.settings.get("configuration"), plan.configurationOf(toHex(keyId(meter.signer.key)), 1));
  // Again: nothing new is issued.
  assert.equal((provision({ meter, office }) as Outcome).type, "provisioned");
  assert.equal(office.issues, 1);
});

test("killed after any effect, and run again: never two IDs for one meter, none lost", () => {
  let kills = 0;
  for (let effects_max = 0; ; effects_max += 1) {
    const meters = [createMeter(1), createMeter(2)];
    const office = createOffice(["m-1", "m-2"]);
    const first = provision({ meter: meters[0]!, office, effects_max });
    assertSound(meters, office);
    for (const meter of [meters[1]!, meters[0]!]) {
      assert.equal((provision({ meter, office }) as Outcome).type, "provisioned");
      assertSound(meters, office);
    }
    assert.deepEqual([...office.issued.keys()].sort(), ["m-1", "m-2"]);
    assert.equal(office.issues, 2);
    if (first !== "killed") break;
    kills += 1;
  }
  assert.ok(kills > 20, `killed at ${kills} places`);
});

test("property: whatever is killed and lost on the wire, each meter ends with one ID and one credential", () => {
  const kill = fc.record({ meter: fc.nat(2), effects_max: fc.nat(60), losses: fc.array(fc.nat(5), { maxLength: 40 }) });
  fc.assert(
    fc.property(fc.array(kill, { maxLength: 8 }), (kills) => {
      const meters = [1, 2, 3].map(createMeter);
      const office = createOffice(["m-1", "m-2", "m-3"]);
      for (const { meter, effects_max, losses } of kills) {
        let at = 0;
        const wire = (line: string) => {
          const loss = losses[at++ % (losses.length + 1)];
          return loss === 0 ? "" : loss === 1 ? line.slice(0, line.length / 2) : line;
        };
        provision({ meter: meters[meter]!, office, effects_max, wire });
        assertSound(meters, office);
      }
      for (const meter of meters) assert.equal((provision({ meter, office }) as Outcome).type, "provisioned");
      assertSound(meters, office);
      assert.equal(office.issues, 3);
    }),
    { numRuns: 150 },
  );
});

test("a wrong anchor is found before anything is certified", () => {
  const foreign = createSealer("elsewhere");
  const swaps: readonly ((document: Record<string, unknown>) => void)[] = [
    (document) => Object.assign(document, { brokers: ["mqtt://10.9.9.9:1883"] }),
    (document) => Object.assign(document, { genesis: toHex(foreign.genesisBytes), network: "elsewhere" }),
    (document) => (document.schedule as unknown[]).pop(),
  ];
  for (const swap of swaps) {
    const [meter, office] = [createMeter(1), createOffice(["m-1"])];
    // A meter that tells what it was given, and holds something else.
    const get = meter.field.get;
    let lies = false;
    const field: Field = {
      ...meter.field,
      get(setting) {
        const text = get(setting);
        if (setting !== "configuration" || text === undefined || !lies) return text;
        const document = JSON.parse(text);
        swap(document);
        return JSON.stringify(document);
      },
    };
    const liar = {
      ...meter,
      type(line: string) {
        lies = line.startsWith("request");
        return answer(field, line);
      },
    };
    const outcome = provision({ meter: liar, office }) as Outcome & { type: "failed" };
    assert.equal(outcome.code, "HOLDING_WRONG", JSON.stringify(outcome));
    assert.equal(office.issues, 0);
    assert.equal(meter.stored.credential, undefined);
  }
  const [meter, office] = [createMeter(1), createOffice(["m-1"])];
  const kept = {
    ...meter,
    type: (line: string) => (line.startsWith("ca ") ? "stored: restart to use it" : meter.type(line)),
  };
  const outcome = provision({ meter: kept, office }) as Outcome & { type: "failed" };
  assert.match(outcome.reason, /does not keep its certificate, and says: stored/);
});

test("a meter of another network is left alone unless it is to be taken over", () => {
  const foreign = createSealer("elsewhere");
  const [meter, office] = [createMeter(1), createOffice(["m-1"])];
  const schedule = [{ service: 1, serviceId: 1, every_s: 9, aligned: true, registers: ["1-0:1.8.n"] }];
  const document = JSON.stringify({
    ...{ version: 1, network: "elsewhere", genesis: toHex(foreign.genesisBytes), brokers: ["mqtt://e"], schedule },
    meter: { protocol: "auto", port: { kind: "serial" } },
  });
  meter.field.set("configuration", document);
  const left = provision({ meter, office }) as Outcome & { type: "failed" };
  assert.equal(left.code, "METER_FOREIGN");
  assert.deepEqual([meter.settings.get("configuration"), office.byMac.size], [document, 0]);
  assert.equal((provision({ meter, office, with: { takesOver: true } }) as Outcome).type, "provisioned");
});

test("a dry run says what is missing and writes nothing; stored is not provisioned", () => {
  const [meter, office] = [createMeter(1), createOffice(["m-1"])];
  const dry = provision({ meter, office, with: { isDry: true } }) as Outcome & { type: "lacks" };
  assert.deepEqual(dry.lacks, ["configuration", "certificate", "Wi-Fi", "credential"]);
  assert.deepEqual([meter.settings.size, office.issues], [0, 0]);
  assert.equal((provision({ meter, office, with: { until: "stored" } }) as Outcome).type, "stored");
  assert.equal(meter.running.credential, undefined);
});

test("a console that is silent, another meter at the port, and a record that is not sealed are told apart", () => {
  const [meter, office] = [createMeter(1), createOffice(["m-1"])];
  assert.equal((provision({ meter, office, wire: () => "" }) as { code?: string }).code, "METER_SILENT");
  const other = createMeter(2);
  let lines = 0;
  const changed = {
    ...meter,
    type(line: string) {
      lines += 1;
      return (lines > 6 ? other : meter).type(line);
    },
  };
  assert.match((provision({ meter: changed, office }) as { reason: string }).reason, /now 020000000002 answers/);
  const idle = { ...meter, type: (line: string) => (line === "restart" ? "restarts" : meter.type(line)) };
  const unproven = provision({ meter: idle, office }) as Outcome & { type: "failed" };
  assert.equal(unproven.code, "METER_UNPROVEN");
  // What it sealed before the restart is no proof of what it holds now.
  meter.field.restart();
  meter.clock.now_ms += 10_000;
  meter.type("state");
  assert.equal(meter.field.shown.counters.sealed, 1);
  assert.equal((provision({ meter: idle, office }) as { code?: string }).code, "METER_UNPROVEN");
});

test("answers that come late and all at once are those of questions that nobody asks any more", () => {
  const [meter, office] = [createMeter(1), createOffice(["m-1"])];
  assert.equal((provision({ meter, office, busy: [3, 12] }) as Outcome).type, "provisioned");
});

test("a restart whose line was lost is asked for again", () => {
  const [meter, office] = [createMeter(1), createOffice(["m-1"])];
  meter.clock.now_ms = 60_000;
  let restarts = 0;
  const wire = (line: string) => {
    if (line === "restart") restarts += 1;
    return line === "restart" && restarts === 1 ? "" : line;
  };
  assert.equal((provision({ meter, office, wire }) as Outcome).type, "provisioned");
  assert.equal(restarts, 2);
});

test("a credential that is another one is written over, and a request by another key is refused", () => {
  const [meter, office] = [createMeter(1), createOffice(["m-1"])];
  meter.stored.credential = sealer.credential(meter.signer.key, [2]);
  assert.equal((provision({ meter, office }) as Outcome).type, "provisioned");
  assert.deepEqual(meter.stored.credential, office.issued.get("m-1")!.credential);
  const other = createMeter(2);
  const swapped = {
    ...createMeter(3),
    type(line: string) {
      return line.startsWith("request")
        ? answer({ ...this.field, signer: () => other.signer }, line)
        : answer(this.field, line);
    },
  };
  const outcome = provision({ meter: swapped, office: createOffice(["m-3"]) }) as Outcome & { type: "failed" };
  assert.deepEqual([outcome.code, /another key/.test(outcome.reason)], ["HOLDING_WRONG", true]);
});

test("what a meter tells is taken in its shape alone", () => {
  const whole = createMeter(1).type("holds 3");
  assert.equal(holdingIn(whole)?.look, "3");
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc
          .dictionary(fc.constantFrom("look", "mac", "meter", "key", "brokers"), fc.jsonValue())
          .map((each) => JSON.stringify(each)),
      ),
      (text) => {
        assert.equal(holdingIn(`holds ${text}`), undefined);
      },
    ),
  );
});
