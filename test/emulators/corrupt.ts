// Telegrams broken on purpose, each in a way that real ports have shown.

import { encodeTelegram } from "../../tools/emulators/p1-telegram.js";
import { createRandom } from "../../tools/emulators/random.js";

/** The ways; the last two have a right CRC. */
export const corruptions = ["bit-flip", "truncated", "line-feeds", "oversized", "null-channel", "rubbish"] as const;

export type Corruption = (typeof corruptions)[number];

/** A broken copy of a P1 telegram with CRC; the same seed breaks it in the same place. */
export function corrupt(telegram: Uint8Array, kind: Corruption, seed: number): Uint8Array {
  return breakers[kind](telegram, createRandom(seed));
}

const oversizedLines = 400;

const breakers: Readonly<Record<Corruption, (telegram: Uint8Array, random: () => number) => Uint8Array>> = {
  /** One bit of one character between header and CRC. */
  "bit-flip"(telegram, random) {
    const broken = Uint8Array.from(telegram);
    const index = 1 + Math.floor(random() * (telegram.length - 9));
    broken[index] = broken[index]! ^ (1 << Math.floor(random() * 7));
    return broken;
  },
  /** The line went dead in the middle. */
  truncated: (telegram, random) => telegram.slice(0, 1 + Math.floor(random() * (telegram.length - 9))),
  /** Copied through a tool that rewrites line ends. */
  "line-feeds": (telegram) => telegram.filter((byte) => byte !== 0x0d),
  /** A meter that does not find its end. */
  oversized(telegram) {
    const { header, lines } = linesOf(telegram);
    const endless = Array.from({ length: oversizedLines }, (_, index) => `0-0:96.13.${index % 10}(3031323334353637)`);
    return encodeTelegram(header, [...lines, ...endless], true);
  },
  /** The M-Bus device of channel 1 was never read. */
  "null-channel"(telegram) {
    const { header, lines } = linesOf(telegram);
    return encodeTelegram(
      header,
      lines.map((line) => line.replace(/^(0-1:24\.2\.[13])\(.*$/, "$1(700101010000W)(00000000)")),
      true,
    );
  },
  /** Energies that no meter could have reached: some fell, some leapt. */
  rubbish(telegram, random) {
    const { header, lines } = linesOf(telegram);
    const anyDigits = (digits: string): string => digits.replace(/\d/g, () => String(Math.floor(random() * 10)));
    const wild = lines.map((line) =>
      line.replace(/^(1-0:[12]\.8\.\d\()([\d.]+)/, (_, start, digits) => start + anyDigits(digits)),
    );
    return encodeTelegram(header, wild, true);
  },
};

/** Header without `/` and the lines before `!`. */
function linesOf(telegram: Uint8Array): { readonly header: string; readonly lines: readonly string[] } {
  const [header = "", ...rest] = Buffer.from(telegram).toString("latin1").split("\r\n");
  const end = rest.findIndex((line) => line.startsWith("!"));
  return { header: header.slice(1), lines: rest.slice(0, end).filter((line) => line !== "") };
}
