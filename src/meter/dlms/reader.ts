// DLMS push of a customer port, over HDLC or M-Bus frames: notifications in, readings out (IEC 62056-46, EN 13757-2, IEC 62056-5-3), bare
// or general-glo-ciphered. The frame's checks, and the tag where there is one, come first: nothing is parsed from a frame where they
// are wrong. The flags of encryption are listed in cipher.ts, all others in dlms-notification.ts.

import { type CipherOptions, createDecipher, generalGloCiphering } from "../cipher.js";
import { hexOf } from "../hex.js";
import { createMbusFramer, type MbusFrame } from "../mbus/frame.js";
import { onlyListens } from "../port-action.js";
import { profileOf } from "../profiles.js";
import type { MeterReader, Outcome } from "../reader.js";
import type { SlidingFramer } from "../sliding.js";
import { createTally } from "../tally.js";
import { type Assembler, type Assembly, createHdlcAssembler, createMbusAssembler } from "./assembly.js";
import { createHdlcFramer, type HdlcFrame } from "./hdlc-frame.js";
import { dataNotification, parseNotification } from "./notification.js";

/** What differs between DLMS meters. */
export interface DlmsOptions extends CipherOptions {
  /** A meter type of profiles.ts, for its lists and quirks. */
  readonly profile?: string;
}

/** A cut of either framer. */
type Cut<Frame> = Frame | { readonly kind: "refused"; readonly reason: "crc" | "truncated"; readonly detail: string };

/** A streaming reader with one buffer of 2 kB and one message. Throws a RangeError for an unknown profile or a key of another length. */
export function createHdlcReader(options: DlmsOptions = {}): MeterReader {
  return createDlmsReader<HdlcFrame>("hdlc", createHdlcFramer(), createHdlcAssembler(), options);
}

/** The same with a buffer of 264 bytes. */
export function createMbusReader(options: DlmsOptions = {}): MeterReader {
  return createDlmsReader<MbusFrame>("mbus", createMbusFramer(), createMbusAssembler(), options);
}

function createDlmsReader<Frame extends { readonly kind: "frame" }>(
  protocol: "hdlc" | "mbus",
  framer: SlidingFramer<Cut<Frame>>,
  assembler: Assembler<Frame>,
  options: DlmsOptions,
): MeterReader {
  const profile = options.profile === undefined ? undefined : profileOf(options.profile).name;
  const decipher = createDecipher(options);
  const tally = createTally(protocol);
  /** What an earlier list of this port has told: short lists say neither who they are of nor what they hold. */
  let announced: string | undefined;
  let lastMeter = "";

  const read = (apdu: Uint8Array, frames: Uint8Array, title: Uint8Array, doubts: readonly string[]): Outcome => {
    if (apdu[0] !== dataNotification) {
      const tag = apdu.length === 0 ? "an empty message" : `tag 0x${apdu[0]!.toString(16)}`;
      return tally.refuse("malformed", `${tag} is no Data-Notification`);
    }
    const parsed = parseNotification(apdu, profile ?? announced, lettersOf(title));
    if (parsed.kind === "refused") return tally.refuse(parsed.reason, parsed.detail);
    tally.read(parsed.unknownObjects);
    const { time_s, registers, flags } = parsed;
    announced = parsed.announces ?? announced;
    if (parsed.meter !== "") lastMeter = parsed.meter;
    const meter = lastMeter === "" ? hexOf(title) : lastMeter;
    return { ok: true, protocol, meter, time_s, registers, flags: [...flags, ...doubts], frame: frames };
  };

  const outcomesOfAssembly = (assembly: Assembly): Outcome[] => {
    if (assembly.kind === "pending") return [];
    if (assembly.kind === "refused") return [tally.refuse(assembly.reason, assembly.detail)];
    const { apdu, frames } = assembly;
    if (apdu[0] !== generalGloCiphering) return [read(apdu, frames, noTitle, [])];
    const deciphered = decipher(apdu);
    if (deciphered.kind === "refused") return [tally.refuse(deciphered.reason, deciphered.detail)];
    return [read(deciphered.bytes, frames, deciphered.title, deciphered.flags)];
  };

  /** A frame that was refused is missing in what is pending. */
  const outcomesOf = (cut: Cut<Frame>): Outcome[] => {
    if (cut.kind === "frame") return assembler.take(cut as Frame).flatMap(outcomesOfAssembly);
    return [tally.refuse(cut.reason, cut.detail), ...assembler.abandon().flatMap(outcomesOfAssembly)];
  };

  return {
    ...onlyListens,
    push: (bytes) => framer.push(bytes).flatMap(outcomesOf),
    end: () => [
      ...framer
        .end((length) => ({ kind: "refused", reason: "truncated", detail: `no end of frame after ${length} bytes` }))
        .flatMap(outcomesOf),
      ...assembler.abandon().flatMap(outcomesOfAssembly),
    ],
    get counters() {
      return tally.counters(framer.noiseBytes);
    },
  };
}

const noTitle = new Uint8Array(0);

/** A system title begins with its maker's three letters. */
function lettersOf(title: Uint8Array): string {
  return title.length === 0 ? "" : String.fromCharCode(title[0]!, title[1]!, title[2]!);
}
