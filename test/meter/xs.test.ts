// The readers in XS, the engine of the meters: what they read there is what they read in Node.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { createReader } from "../../src/meter/open-reader.js";
import type { Protocol } from "../../src/meter/reader.js";
import { buildMeterBundle } from "../../tools/build.mjs";
import { checkedBlock, identification, readoutLines } from "../../tools/emulators/d0-readout.js";
import { ciphered, hdlcFrames, mbusFrames } from "../../tools/emulators/dlms-frames.js";
import {
  byCode,
  byPosition,
  dateTime,
  described,
  fixedRecord,
  notification,
  selfDescribing,
} from "../../tools/emulators/dlms-values.js";
import { heatTelegram } from "../../tools/emulators/mbus-meter.js";
import { answerTo } from "../../tools/emulators/modbus-meter.js";
import { p1Telegram } from "../../tools/emulators/p1-telegram.js";
import { encodeSml, smlTelegram } from "../../tools/emulators/sml-file.js";
import { historicTic, standardTic } from "../../tools/emulators/tic-frame.js";
import { startWorker, type Worker } from "../../tools/meters/worker.js";
import { shared } from "../shared.js";
import { outcomeText } from "./outcome-text.js";
import { changed, householdAt, joined } from "./streams.js";
import { latin1 } from "./telegram.js";

const state = householdAt(1_700_000_000);
const key = new Uint8Array(16).fill(1);
const question = Uint8Array.from(Buffer.from("010400000050f036", "hex"));
const lists = [selfDescribing, byPosition, byCode, fixedRecord].map((list) =>
  notification(list(state), dateTime(state.time_s)),
);
const large = encodeSml({
  serverId: key,
  time: { kind: "utc", seconds: state.time_s },
  entries: [
    {
      obis: [1, 0, 1, 8, 0, 255],
      unit: 30,
      scaler: -1,
      value: { kind: "number", value: 2n ** 63n + 1n, width: 8, signed: false },
    },
  ],
});

const streams: readonly (readonly [Protocol, Uint8Array])[] = [
  [
    "p1",
    joined(
      p1Telegram(state),
      p1Telegram(state, "fluvius"),
      p1Telegram(state, "2.2"),
      ciphered(key, { systemTitle: key.subarray(8), counter: 1, encryption: key }),
    ),
  ],
  ["sml", joined(smlTelegram(state), large, changed(large, 40), smlTelegram(state).subarray(0, 70))],
  ["hdlc", joined(...lists.flatMap((apdu) => hdlcFrames(apdu, 120)), changed(hdlcFrames(lists[0]!)[0]!, 30))],
  [
    "mbus",
    joined(...lists.flatMap((apdu) => mbusFrames(apdu, 100)), heatTelegram(state), changed(heatTelegram(state), 40)),
  ],
  [
    "d0",
    joined(
      latin1(`/${identification}\r\n`),
      checkedBlock(readoutLines(state)),
      checkedBlock(["6.8(1*MWh)6.26(1.5*m3)"]),
    ),
  ],
  ["modbus", joined(question, answerTo(question, 1, state)!)],
  ["push", notification(described(state))],
  ["tic", joined(standardTic(state), historicTic(state), changed(historicTic(state), 9))],
];

/** A worker with the readers in it, and what it printed. */
async function startReaders(context: TestContext): Promise<{ readonly worker: Worker; readonly printed: string[] }> {
  const printed: string[] = [];
  const worker = startWorker({
    name: "readers",
    onCall: () => new Uint8Array(0),
    onPrint: (line) => printed.push(line),
    onExit: () => {},
  });
  context.after(() => worker.kill());
  await worker.evaluate(await buildMeterBundle(fileURLToPath(new URL("xs-program.ts", import.meta.url))));
  return { worker, printed };
}

function readInNode(protocol: Protocol, stream: Uint8Array): string {
  const reader = createReader(protocol, protocol === "d0" ? { headless: true } : {});
  return [...reader.push(stream, 0), ...reader.end()].map(outcomeText).join("\n");
}

/** Throws in XS where the text differs, so that the worker rejects with the two. */
function comparison(protocol: Protocol, stream: Uint8Array): string {
  const expected = JSON.stringify(readInNode(protocol, stream));
  return `{ const read = readInXs(${JSON.stringify(protocol)}, [${stream.join(",")}]); if (read !== ${expected}) throw read; }`;
}

test("reads in XS what it reads in Node, of every protocol", async (context) => {
  const { worker, printed } = await startReaders(context);
  for (const [protocol, stream] of streams) {
    assert.ok(readInNode(protocol, stream).length > 0, protocol);
    await worker.evaluate(comparison(protocol, stream));
  }
  await worker.evaluate('if (detectInXs() !== 115200) throw "no detector"');
  assert.deepEqual(printed, []);
  await assert.rejects(worker.evaluate('if (readInXs("p1", [1]) !== "x") throw "differs"'), /differs/);
});

const captures: readonly (readonly [Protocol, string])[] = [
  ["p1", "data/dsmr_parser/TELEGRAM_V5_TWO_MBUS.txt"],
  ["sml", "data/smartmeter-obis/sml/testSerialResponseSmlCont-1.bin"],
  ["d0", "data/smartmeter-obis/d0/testSerialRequestResponseD0WithAck2-1.txt"],
  ["p1", "data/esphome-dsmr_parser/encrypted_packet.bin"],
];

for (const [protocol, path] of captures) {
  const capture = shared(path);
  test(`reads in XS what it reads in Node of ${path}`, { skip: capture.skip }, async (context) => {
    const { worker } = await startReaders(context);
    await worker.evaluate(comparison(protocol, readFileSync(join(capture.path))));
  });
}
