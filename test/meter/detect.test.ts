import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { createDetector, type Detection, scoreCapture } from "../../src/meter/detect.js";
import { type Line, requestLine, sameLine } from "../../src/meter/line.js";
import type { Protocol } from "../../src/meter/reader.js";
import { checkedBlock, identification, pushedReadout, readoutLines } from "../../tools/emulators/d0-readout.js";
import { ciphered, hdlcFrames, mbusFrames } from "../../tools/emulators/dlms-frames.js";
import { described, notification, selfDescribing } from "../../tools/emulators/dlms-values.js";
import { amisTelegram, heatTelegram, shortFrame } from "../../tools/emulators/mbus-meter.js";
import { answerTo } from "../../tools/emulators/modbus-meter.js";
import { p1Telegram } from "../../tools/emulators/p1-telegram.js";
import { smlTelegram } from "../../tools/emulators/sml-file.js";
import { historicTic, standardTic } from "../../tools/emulators/tic-frame.js";
import { shared } from "../shared.js";
import { householdAt, joined } from "./streams.js";
import { latin1 } from "./telegram.js";

const state = householdAt(1_700_000_000);
const apdu = notification(selfDescribing(state));
const nothing = new Uint8Array(0);
const key = new Uint8Array(16).fill(1);
const encrypted = ciphered(apdu, { systemTitle: key.subarray(8), counter: 1, encryption: key, authentication: key });

/** What a meter sends at its own settings; at any other the bytes are noise. */
interface Meter {
  readonly protocol: Protocol;
  readonly line: Line;
  readonly bytes: Uint8Array;
}

const meters: Readonly<Record<string, Meter>> = {
  "DSMR 5": { protocol: "p1", line: { baud: 115200, dataBits: 8, parity: "none" }, bytes: p1Telegram(state) },
  "DSMR 3": { protocol: "p1", line: { baud: 9600, dataBits: 7, parity: "even" }, bytes: p1Telegram(state, "3.0") },
  SML: { protocol: "sml", line: { baud: 9600, dataBits: 8, parity: "none" }, bytes: smlTelegram(state) },
  Aidon: { protocol: "hdlc", line: { baud: 2400, dataBits: 8, parity: "none" }, bytes: joined(...hdlcFrames(apdu)) },
  "M-Bus": { protocol: "mbus", line: { baud: 2400, dataBits: 8, parity: "even" }, bytes: joined(...mbusFrames(apdu)) },
  "bare push": {
    protocol: "push",
    line: { baud: 9600, dataBits: 8, parity: "none" },
    bytes: notification(described(state)),
  },
  "M-Bus with data records": {
    protocol: "mbus",
    line: { baud: 2400, dataBits: 8, parity: "even" },
    bytes: heatTelegram(state),
  },
  AMIS: { protocol: "mbus", line: { baud: 9600, dataBits: 8, parity: "even" }, bytes: amisTelegram(state, key) },
  encrypted: {
    protocol: "mbus",
    line: { baud: 2400, dataBits: 8, parity: "even" },
    bytes: joined(...mbusFrames(encrypted)),
  },
  "Linky, standard": {
    protocol: "tic",
    line: { baud: 9600, dataBits: 7, parity: "even" },
    bytes: standardTic(state),
  },
  "Linky, historic": {
    protocol: "tic",
    line: { baud: 1200, dataBits: 7, parity: "even" },
    bytes: historicTic(state),
  },
  "mode D": {
    protocol: "d0",
    line: { baud: 2400, dataBits: 7, parity: "even" },
    bytes: pushedReadout(readoutLines(state)),
  },
};

/** Turns the detector until it says more than to try on; a meter sends every two seconds. */
function detect(meter: Meter | undefined, turns = 200): Detection {
  const detector = createDetector();
  let line = detector.line;
  let noise = 1;
  for (let turn = 0; turn < turns; turn++) {
    const sent = meter?.bytes ?? nothing;
    if (meter !== undefined && !sameLine(line, meter.line)) noise = (noise * 48271) % 2147483647;
    const heard = meter === undefined || sameLine(line, meter.line) ? sent : sent.map((byte) => byte ^ noise);
    let detection = detector.push(heard, turn * 2000);
    if (detection.kind === "waiting") detection = detector.push(nothing, turn * 2000 + 1500);
    if (detection.kind === "try") line = detection.line;
    else if (detection.kind !== "waiting") return detection;
  }
  return { kind: "waiting" };
}

for (const [name, meter] of Object.entries(meters)) {
  test(`finds protocol, speed and parity of ${name}`, () => {
    assert.deepEqual(detect(meter), { kind: "found", protocol: meter.protocol, line: meter.line, asks: false });
  });
}

test("tells that nothing speaks, and goes round again", () => {
  const detector = createDetector();
  const answers: string[] = [];
  for (let turn = 0; turn < 400; turn++) {
    const detection = detector.push(nothing, turn * 1000);
    if (detection.kind !== "waiting") answers.push(detection.kind);
  }
  const tries = answers.indexOf("nothing");
  assert.ok(tries > 5 && answers.slice(0, tries).every((answer) => answer === "try"), answers.join());
  assert.deepEqual(answers.slice(tries + 1, 2 * tries + 2), answers.slice(0, tries + 1));
});

test("asks the meters that do not push: a Modbus meter, and an optical port at its own speed", () => {
  const question = (baud: number): Uint8Array | undefined => {
    const detector = createDetector();
    let { line } = detector;
    for (let now_ms = 0; now_ms < 200_000; now_ms += 500) {
      const detection = detector.push(nothing, now_ms);
      if (detection.kind === "try") line = detection.line;
      for (const action of detector.toSend(now_ms)) {
        if (action.kind === "send" && line.baud === baud) return action.bytes;
      }
    }
    return undefined;
  };
  assert.equal(Buffer.from(question(300)!).toString("latin1"), "/?!\r\n");
  assert.ok(answerTo(question(9600)!, 1, state) !== undefined);
});

test("acknowledges a meter that waits for it, and asks a lone M-Bus meter, while it looks for one", () => {
  const detector = createDetector();
  const sent: string[] = [];
  for (let now_ms = 0; now_ms < 200_000; now_ms += 500) {
    detector.push(shortFrame(0x40, 0xf0), now_ms);
    for (const action of detector.toSend(now_ms)) {
      if (action.kind === "send") sent.push(Buffer.from(action.bytes).toString("hex"));
    }
  }
  assert.ok(sent.includes("e5"));
  assert.ok(sent.includes(Buffer.from(shortFrame(0x40, 254)).toString("hex")));
});

test("follows an optical port through its change of speed", () => {
  const detector = createDetector();
  let now_ms = 0;
  let found: Detection | undefined;
  while (now_ms < 300_000 && found === undefined) {
    now_ms += 100;
    const detection = detector.push(nothing, now_ms);
    assert.ok(detection.kind !== "nothing");
    for (const action of detector.toSend(now_ms)) {
      if (action.kind !== "send") continue;
      const text = Buffer.from(action.bytes).toString("latin1");
      if (text === "/?!\r\n") detector.push(latin1(`/${identification}\r\n`), now_ms);
      if (text === "\u0006050\r\n") found = detector.push(checkedBlock(readoutLines(state)), now_ms);
    }
  }
  assert.deepEqual(found, { kind: "found", protocol: "d0", line: requestLine, asks: true });
});

test("is never certain of noise", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 500 }), { maxLength: 20 }), (chunks) => {
      const detector = createDetector();
      chunks.forEach((chunk, turn) => {
        assert.notEqual(detector.push(chunk, turn * 1000).kind, "found");
      });
    }),
    { numRuns: 50 },
  );
});

test("tells what a broken capture was meant to be", () => {
  const best = (bytes: Uint8Array): Protocol | undefined => {
    const [first] = scoreCapture(bytes);
    return first === undefined || first.score === 0 ? undefined : first.protocol;
  };
  for (const { protocol, bytes } of Object.values(meters)) {
    assert.equal(best(bytes), protocol);
    const flipped = Uint8Array.from(bytes);
    flipped[bytes.length - 20]! ^= 1;
    if (protocol !== "d0" && protocol !== "mbus" && protocol !== "push")
      assert.ok(best(flipped) === protocol, protocol);
  }
  assert.equal(best(latin1("not a meter's bytes\r\n")), undefined);
  assert.equal(best(nothing), undefined);
});

const folders: Readonly<Record<string, Protocol>> = {
  "data/dsmr_parser": "p1",
  "data/smartmeter-obis/sml": "sml",
  "data/smartmeter-obis/d0": "d0",
  "data/esphome-dsmr_parser": "p1",
};

for (const [folder, protocol] of Object.entries(folders)) {
  const captures = shared(folder);
  test(`tells the protocol of every capture in ${folder}`, { skip: captures.skip }, () => {
    const names = readdirSync(captures.path).filter((name) => /^(TELEGRAM|test|tty|encrypted)/.test(name));
    assert.ok(names.length > 0);
    for (const name of names) {
      const [best] = scoreCapture(readFileSync(join(captures.path, name)), { headless: true });
      assert.equal(best?.protocol, protocol, name);
      assert.ok(best.score > 0, name);
    }
  });
}
