import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { decode } from "../../tools/cli/decode.js";
import { corrupt } from "../../tools/emulators/corrupt.js";
import { createHousehold } from "../../tools/emulators/household.js";
import { encodeTelegram, p1Telegram } from "../../tools/emulators/p1-telegram.js";
import { GridsealError } from "../../tools/errors.js";
import { shared } from "../shared.js";

const folder = mkdtempSync(join(tmpdir(), "gridseal-decode-"));
after(() => rmSync(folder, { recursive: true }));

function written(name: string, ...parts: readonly Uint8Array[]): string {
  const file = join(folder, name);
  writeFileSync(file, Buffer.concat(parts));
  return file;
}

async function decoded(
  file: string,
  json: boolean,
): Promise<{ readonly status: number; readonly lines: readonly string[] }> {
  const lines: string[] = [];
  const status = await decode({ file, json }, (line) => lines.push(line));
  return { status, lines };
}

const telegram = encodeTelegram(
  "ISK5\\2M550T-1012",
  [
    "1-3:0.2.8(50)",
    "0-0:1.0.0(200426223325S)",
    "0-0:96.1.1(4530303434303037333832323436303139)",
    "1-0:1.8.1(002130.115*kWh)",
    "1-0:1.7.0(0001.01*kW)",
    "1-0:32.7.0(229.9*V)",
    "1-0:31.7.0(-00.05*A)",
    "0-0:96.14.0(0002)",
    "0-2:24.2.1(200426223001S)(00246.138*m3)",
    "1-0:2.8.1(9007199254740.993*kWh)",
  ],
  true,
);

test("prints a line of JSON a frame, exact beyond the safe integers", async () => {
  const { status, lines } = await decoded(written("good", telegram), true);
  assert.equal(status, 0);
  assert.deepEqual(lines, [
    '{"frame":0,"protocol":"p1","ok":true,"meter":"E0044007382246019","time":1587933205,"registers":[' +
      '{"obis":"1-0:1.8.1*255","value":2130115,"scaler":0,"unit":"Wh"},' +
      '{"obis":"1-0:1.7.0*255","value":101,"scaler":1,"unit":"W"},' +
      '{"obis":"1-0:32.7.0*255","value":2299,"scaler":-1,"unit":"V"},' +
      '{"obis":"1-0:31.7.0*255","value":-5,"scaler":-2,"unit":"A"},' +
      '{"obis":"0-0:96.14.0*255","value":2,"scaler":0,"unit":""},' +
      '{"obis":"0-2:24.2.1*255","value":246138,"scaler":-3,"unit":"m3","age":204},' +
      '{"obis":"1-0:2.8.1*255","value":9007199254740993,"scaler":0,"unit":"Wh"}]}',
  ]);
});

test("prints a table with the digits that the meter stated", async () => {
  const { status, lines } = await decoded(written("good", telegram), false);
  assert.equal(status, 0);
  assert.deepEqual(lines, [
    "frame 0  p1  meter E0044007382246019  2020-04-26T20:33:25.000Z",
    "  1-0:1.8.1*255               2130115 Wh",
    "  1-0:1.7.0*255                  1010 W",
    "  1-0:32.7.0*255                229.9 V",
    "  1-0:31.7.0*255                -0.05 A",
    "  0-0:96.14.0*255                   2",
    "  0-2:24.2.1*255              246.138 m3  204 s before",
    "  1-0:2.8.1*255      9007199254740993 Wh",
  ]);
});

test("numbers the frames, and ends in status 1 where one was refused", async () => {
  const flipped = telegram.map((byte, index) => (index === 90 ? byte ^ 1 : byte));
  const file = written("mixed", telegram, flipped, telegram, telegram.subarray(0, 50));
  const { status, lines } = await decoded(file, true);
  assert.equal(status, 1);
  const frames = lines.map((line) => JSON.parse(line));
  assert.deepEqual(
    frames.map(({ frame, ok, reason }) => [frame, ok, reason]),
    [
      [0, true, undefined],
      [1, false, "crc"],
      [2, true, undefined],
      [3, false, "truncated"],
    ],
  );
  assert.deepEqual(Object.keys(frames[1]), ["frame", "protocol", "ok", "reason", "detail"]);
  assert.match((await decoded(file, false)).lines.join("\n"), /frame 1 {2}p1 {2}REFUSED crc: the telegram states/);
});

test("prints no time for a meter without a clock, and its doubts", async () => {
  const old = p1Telegram(createHousehold({ seed: 1, start_s: 1_700_000_000 }).step(1_700_000_000), "3.0");
  const { lines } = await decoded(written("old", old), true);
  const frame = JSON.parse(lines[0]!);
  assert.equal(frame.time, null);
  assert.deepEqual(frame.flags, ["unchecked", "no-clock"]);
  assert.match(
    (await decoded(written("old", old), false)).lines.join("\n"),
    /without a time\n {2}doubts: unchecked, no-clock/,
  );
});

test("decodes a long stream, with frames across its chunks", async () => {
  const household = createHousehold({ seed: 1, start_s: 1_700_000_000 });
  const telegrams = Array.from({ length: 300 }, (_, index) => p1Telegram(household.step(1_700_000_000 + index)));
  const file = written("long", ...telegrams.slice(0, 299), corrupt(telegrams[299]!, "line-feeds", 0));
  const { status, lines } = await decoded(file, true);
  assert.equal(status, 1);
  assert.equal(lines.length, 300);
  assert.equal(lines.filter((line) => JSON.parse(line).ok).length, 299);
});

test("refuses a file without a frame", async () => {
  for (const content of ["", "not a meter's bytes\r\n"]) {
    const { status, lines } = await decoded(written("none", Buffer.from(content)), true);
    assert.equal(status, 1);
    assert.equal(lines.length, 1);
    const { ok, reason, detail } = JSON.parse(lines[0]!);
    assert.deepEqual([ok, reason], [false, "no-frame"]);
    assert.ok(detail.includes(join(folder, "none")));
  }
});

test("refuses a file that cannot be read and a protocol that does not exist", async () => {
  const code = (expected: string) => (error: unknown) => error instanceof GridsealError && error.code === expected;
  await assert.rejects(decoded(join(folder, "absent"), true), code("FILE_UNREADABLE"));
  await assert.rejects(decoded(folder, true), code("FILE_UNREADABLE"));
  await assert.rejects(decode({ file: written("good", telegram), protocol: "morse" }, assert.fail), code("USAGE"));
});

const capture = shared("data/dsmr_parser/TELEGRAM_V5_TWO_MBUS.txt");

test("decodes a captured telegram as the documentation shows it", { skip: capture.skip }, async () => {
  const { status, lines } = await decoded(capture.path, true);
  assert.equal(status, 0);
  const start =
    '{"frame":0,"protocol":"p1","ok":true,"meter":"E0044007382246019","time":1587933205,"registers":[{"obis":"1-0:1.8.1*255","value":2130115,"scaler":0,"unit":"Wh"},';
  assert.ok(lines[0]?.startsWith(start));
});
