// Whatever stands behind the code of a measured quantity, in a frame whose check holds: it becomes a register, or a doubt names it. A
// meter's value is never left out in silence.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatObis, scanObis } from "../../src/meter/obis.js";
import { createReader } from "../../src/meter/open-reader.js";
import type { Outcome } from "../../src/meter/reader.js";
import { checkedBlock, identification } from "../../tools/emulators/d0-readout.js";
import { outcomeText } from "./outcome-text.js";
import { joined } from "./streams.js";
import { latin1, telegram } from "./telegram.js";

const clock = "0-0:1.0.0(200426223325S)";
const known = "1-0:15.8.0(1*kWh)";
const codes = [
  "1-0:1.8.0",
  "1-0:2.8.1",
  "1-0:1.6.0",
  "1-0:31.7.0",
  "1-1:31.4.0",
  "1-0:13.7.0",
  "0-0:96.14.0",
  "0-0:96.7.21",
  "0-0:17.0.0",
  "0-1:24.2.1",
  "0-1:24.1.0",
  "0-0:98.1.0",
  "1-0:99.97.0",
];
const fragments = fc.constantFrom(
  ...["1", "0012", "1.5", "1,5", "-3", "*", "kWh", "*kWh", "*W", "kW", "V", " ", "?", "200426223001S", "200426223001"],
  ...["700101010000W", "0-0:96.7.19", "1-0:1.6.0", "W", "m3", "*m3", "1e5", "x"],
);
const group = fc.array(fragments, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(""));
const groups = fc.array(group, { minLength: 1, maxLength: 7 });

/** Whether the outcome says something of this code: a register or a doubt, be it of its past values. */
function speaksOf(outcome: Outcome | undefined, code: string): boolean {
  if (outcome === undefined || !outcome.ok) return false;
  const bytes = latin1(code);
  const wanted = formatObis(scanObis(bytes, 0, bytes.length)!).split("*")[0]!;
  const isLog = code === "0-0:98.1.0" || code === "1-0:99.97.0";
  const said = [...outcome.registers.map(({ obis }) => formatObis(obis)), ...outcome.flags];
  return said.some(
    (text) => text.includes(`${wanted}*`) || text === "malformed-line" || (isLog && /\*1\d\d$/.test(text)),
  );
}

for (const [protocol, frameOf] of Object.entries({
  p1: (line: string) => telegram([clock, known, line]),
  d0: (line: string) => joined(latin1(`/${identification}\r\n`), checkedBlock([clock, known, line])),
} as const)) {
  test(`leaves nothing measured out of a reading of ${protocol} in silence`, () => {
    fc.assert(
      fc.property(fc.constantFrom(...codes), groups, (code, texts) => {
        const [outcome] = createReader(protocol as "p1" | "d0").push(frameOf(`${code}(${texts.join(")(")})`), 0);
        assert.ok(speaksOf(outcome, code), outcome === undefined ? "nothing" : outcomeText(outcome));
      }),
      { numRuns: 3000 },
    );
  });
}
