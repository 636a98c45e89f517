// The customer port of a DLMS meter that pushes (IEC 62056-46 frames): bytes in, readings out. The frame checks come first, then what
// was sent in parts is put together, then the ciphering is removed; only then is a value looked at. What is without the frames is
// shared with the ports that have others: M-Bus, and none at all.

import { type CipherOptions, createDecipher, type Decipher, generalGloCiphering } from "../cipher.js";
import { hexOf } from "../hex.js";
import { onlyListens } from "../port-action.js";
import { profileOf } from "../profiles.js";
import type { MeterReader, Outcome, Protocol } from "../reader.js";
import { createTally, type Tally } from "../tally.js";
import { type Assembly, createHdlcAssembler } from "./assembly.js";
import { createHdlcFramer, type HdlcCut } from "./hdlc-frame.js";
import { dataNotification, parseNotification } from "./notification.js";

/** What differs between DLMS meters. */
export interface DlmsOptions extends CipherOptions {
  /** A meter type of profiles.ts, for its lists and quirks. */
  readonly profile?: string;
}

/** A streaming reader with one buffer of 2 kB and one message. Throws a RangeError for an unknown profile or a key of another length. */
export function createHdlcReader(options: DlmsOptions = {}): MeterReader {
  const framer = createHdlcFramer();
  const assembler = createHdlcAssembler();
  const tally = createTally("hdlc");
  const messages = new MessageReader("hdlc", tally, options);

  /** A frame that was refused is missing in what is pending. */
  const outcomesOf = (cut: HdlcCut): Outcome[] => {
    if (cut.kind === "frame") return messages.read(assembler.take(cut));
    return [tally.refuse(cut.reason, cut.detail), ...messages.read(assembler.abandon())];
  };

  return {
    ...onlyListens,
    push: (bytes) => framer.push(bytes).flatMap(outcomesOf),
    end: () => [
      ...framer
        .end((length) => ({ kind: "refused", reason: "truncated", detail: `no end of frame after ${length} bytes` }))
        .flatMap(outcomesOf),
      ...messages.read(assembler.abandon()),
    ],
    get counters() {
      return tally.counters(framer.noiseBytes);
    },
  };
}

/** Reads the messages of one port, whatever frames they come in. */
export class MessageReader {
  private readonly protocol: Protocol;
  private readonly tally: Tally;
  private readonly profile: string | undefined;
  private readonly decipher: Decipher;
  /** What an earlier list of this port has told: short lists say neither who they are of nor what they hold. */
  private announced: string | undefined = undefined;
  private lastMeter = "";

  constructor(protocol: Protocol, tally: Tally, options: DlmsOptions) {
    this.protocol = protocol;
    this.tally = tally;
    this.profile = options.profile === undefined ? undefined : profileOf(options.profile).name;
    this.decipher = createDecipher(options);
  }

  read(assemblies: readonly Assembly[]): Outcome[] {
    const outcomes: Outcome[] = [];
    for (let index = 0; index < assemblies.length; index++) {
      const outcome = this.outcomeOf(assemblies[index]!);
      if (outcome !== undefined) outcomes.push(outcome);
    }
    return outcomes;
  }

  private outcomeOf(assembly: Assembly): Outcome | undefined {
    if (assembly.kind === "pending") return undefined;
    if (assembly.kind === "refused") return this.tally.refuse(assembly.reason, assembly.detail);
    const { apdu, frames } = assembly;
    if (apdu[0] !== generalGloCiphering) return this.readPlain(apdu, frames, noTitle, []);
    const deciphered = this.decipher(apdu);
    if (deciphered.kind === "refused") return this.tally.refuse(deciphered.reason, deciphered.detail);
    return this.readPlain(deciphered.bytes, frames, deciphered.title, deciphered.flags);
  }

  private readPlain(apdu: Uint8Array, frames: Uint8Array, title: Uint8Array, doubts: readonly string[]): Outcome {
    const { protocol, tally } = this;
    if (apdu[0] !== dataNotification) {
      const tag = apdu.length === 0 ? "an empty message" : `tag 0x${apdu[0]!.toString(16)}`;
      return tally.refuse("malformed", `${tag} is no Data-Notification`);
    }
    const parsed = parseNotification(apdu, this.profile ?? this.announced, lettersOf(title));
    if (parsed.kind === "refused") return tally.refuse(parsed.reason, parsed.detail);
    tally.read(parsed.unknownObjects);
    const { time_s, registers, flags } = parsed;
    this.announced = parsed.announces ?? this.announced;
    if (parsed.meter !== "") this.lastMeter = parsed.meter;
    const meter = this.lastMeter === "" ? hexOf(title) : this.lastMeter;
    return { ok: true, protocol, meter, time_s, registers, flags: [...flags, ...doubts], frame: frames };
  }
}

const noTitle = new Uint8Array(0);

/** A system title begins with its maker's three letters. */
function lettersOf(title: Uint8Array): string {
  return title.length === 0 ? "" : String.fromCharCode(title[0]!, title[1]!, title[2]!);
}
