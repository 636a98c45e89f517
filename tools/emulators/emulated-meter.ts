// An emulated household's meter at a port, in every protocol: one that pushes, one that has to be asked (Modbus; M-Bus; D0 of mode C with
// its change of speed), pulses, and encrypted ones. It speaks at one speed and parity: to a line that is set otherwise it is garble.

import { type Line, requestLine, sameLine, usualLines } from "../../src/meter/line.js";
import type { EmulatorPort } from "../meters/ports/port-configuration.js";
import type { OpenedPort } from "../meters/ports/serial.js";
import { checkedBlock, identification, pushedReadout, readoutLines } from "./d0-readout.js";
import { ciphered, hdlcFrames, mbusFrames } from "./dlms-frames.js";
import { dateTime, described, notification, selfDescribing } from "./dlms-values.js";
import { createHousehold, type HouseholdState } from "./household.js";
import { answerToMaster } from "./mbus-meter.js";
import { answerTo } from "./modbus-meter.js";
import { p1Telegram } from "./p1-telegram.js";
import { smlTelegram } from "./sml-file.js";
import { standardTic } from "./tic-frame.js";

/** Of the emulated Modbus meter, and of the emulated heat meter at M-Bus. */
const modbusAddress = 1;
const mbusAddress = 1;
const answer_ms = 20;
/** IEC 62056-21: the meter reacts within 200 to 1500 ms, and waits that long for the acknowledgement. */
const reaction_ms = 200;
const acknowledgement_ms = 1500;
const impulses_per_kWh_default = 1000;
/** The manufacturer's letters and a serial number. */
const systemTitle = Uint8Array.of(0x45, 0x4d, 0x55, 0, 0, 0, 0, 1);

/** A household in the present: its clock is this machine's. `line` is the listener's; where it is not given, it hears all. */
export function openEmulatedMeter(
  port: EmulatorPort,
  line: Line | undefined,
  onBytes: (bytes: Uint8Array) => void,
): OpenedPort {
  let time_s = Math.floor(Date.now() / 1000);
  const household = createHousehold({
    ...{ seed: port.seed, start_s: time_s },
    ...(port.homes !== undefined && { homes: port.homes }),
    ...(port.ahead_s !== undefined && { ahead_s: port.ahead_s }),
  });
  let listener = line;
  const stateNow = (): HouseholdState => {
    // A clock that was set back stands still: energy does not flow backwards.
    time_s = Math.max(time_s, Math.floor(Date.now() / 1000));
    return household.step(time_s);
  };
  const say = (bytes: Uint8Array, spoken: Line): void =>
    onBytes(listener === undefined ? bytes : heardAt(listener, spoken, bytes));
  const hears = (spoken: Line): boolean => listener === undefined || sameLine(listener, spoken);
  const meter = kindOf(port)(port, stateNow, say, hears);
  return {
    ...meter,
    setLine(next) {
      listener = next;
    },
  };
}

type Kind = (
  port: EmulatorPort,
  stateNow: () => HouseholdState,
  /** Sends bytes at a line. */
  say: (bytes: Uint8Array, spoken: Line) => void,
  /** Whether what is written arrives at a meter with that line. */
  hears: (spoken: Line) => boolean,
) => Pick<OpenedPort, "close" | "write">;

function kindOf({ protocol = "p1", request }: EmulatorPort): Kind {
  if (protocol === "modbus")
    return answering(usualLines.modbus, (question, state) => answerTo(question, modbusAddress, state));
  if (protocol === "mbus" && request)
    return answering(usualLines.mbus, (question, state) => answerToMaster(question, mbusAddress, state));
  if (protocol === "pulse") return pulseMeter;
  return protocol === "d0" && request ? askedMeter : pushingMeter;
}

const pushingMeter: Kind = (port, stateNow, say) => {
  const { protocol = "p1", interval_ms } = port;
  const encode = encoderOf(port);
  const timer = setInterval(() => say(encode(stateNow()), usualLines[protocol]), interval_ms);
  return { close: () => clearInterval(timer), write() {} };
};

/** A meter that says nothing but answers. */
const answering =
  (line: Line, answerOf: (question: Uint8Array, state: HouseholdState) => Uint8Array | undefined): Kind =>
  (_port, stateNow, say, hears) => {
    const timers = new Set<NodeJS.Timeout>();
    return {
      close: () => timers.forEach(clearTimeout),
      write(question) {
        const answer = hears(line) ? answerOf(question, stateNow()) : undefined;
        if (answer === undefined) return;
        const timer = setTimeout(() => {
          timers.delete(timer);
          say(answer, line);
        }, answer_ms);
        timers.add(timer);
      },
    };
  };

/** Mode C: identification at 300 baud, then the readout at the speed that the acknowledgement takes up, else at 300. */
const askedMeter: Kind = (_port, stateNow, say, hears) => {
  let timer: NodeJS.Timeout | undefined;
  let isOffering = false;
  const later = (delay_ms: number, act: () => void): void => {
    clearTimeout(timer);
    timer = setTimeout(act, delay_ms);
  };
  const readOut = (spoken: Line): void => {
    isOffering = false;
    say(checkedBlock(readoutLines(stateNow())), spoken);
  };
  return {
    close: () => clearTimeout(timer),
    write(bytes) {
      if (!hears(requestLine)) return;
      const text = Buffer.from(bytes).toString("latin1");
      if (/^\/\?[0-9A-Za-z ]*!\r\n$/.test(text)) {
        later(reaction_ms, () => {
          isOffering = true;
          say(Buffer.from(`/${identification}\r\n`, "latin1"), requestLine);
          later(acknowledgement_ms, () => readOut(requestLine));
        });
      } else if (isOffering && text === "\u0006050\r\n") {
        later(reaction_ms, () => readOut(usualLines.d0));
      }
    },
  };
};

/** A byte for each pulse, as from a UART whose receiving line is the S0 output. */
const pulseMeter: Kind = ({ interval_ms, impulses_per_kWh = impulses_per_kWh_default }, stateNow, say) => {
  const pulsesNow = (): number => {
    const { consumed } = stateNow();
    return Math.floor(((consumed.low_Ws + consumed.normal_Ws) * impulses_per_kWh) / 3_600_000);
  };
  let told = pulsesNow();
  const timer = setInterval(() => {
    const pulses = pulsesNow();
    if (pulses > told) say(new Uint8Array(pulses - told).fill(1), usualLines.pulse);
    told = pulses;
  }, interval_ms);
  return { close: () => clearInterval(timer), write() {} };
};

/** What a state is as one message of the port's protocol. */
function encoderOf({
  protocol = "p1",
  version,
  encryption,
  authentication,
}: EmulatorPort): (state: HouseholdState) => Uint8Array {
  // Above that of every start before.
  let counter = Math.floor(Date.now() / 1000);
  const sealed = (plaintext: Uint8Array): Uint8Array => {
    if (encryption === undefined) return plaintext;
    counter += 1;
    const keys = { encryption: Buffer.from(encryption, "hex") };
    if (authentication === undefined) return ciphered(plaintext, { systemTitle, counter, ...keys });
    return ciphered(plaintext, { systemTitle, counter, ...keys, authentication: Buffer.from(authentication, "hex") });
  };
  const message = (state: HouseholdState): Uint8Array =>
    sealed(notification(selfDescribing(state), dateTime(state.time_s)));
  switch (protocol) {
    case "sml":
      return smlTelegram;
    case "hdlc":
      return (state) => Buffer.concat(hdlcFrames(message(state)));
    case "mbus":
      return (state) => Buffer.concat(mbusFrames(message(state)));
    case "push":
      return (state) => notification(described(state));
    case "tic":
      return standardTic;
    case "d0":
      return (state) => pushedReadout(readoutLines(state));
    default:
      return (state) => sealed(p1Telegram(state, version));
  }
}

/** What a UART makes of bytes that are sent at another line. */
function heardAt(listener: Line, spoken: Line, bytes: Uint8Array): Uint8Array {
  if (sameLine(listener, spoken)) return bytes;
  const isOneSpeed = listener.baud === spoken.baud;
  // Seven bits and a parity bit are eight bits; of eight bits the seventh is lost.
  if (isOneSpeed && spoken.dataBits === 7) return bytes.map((byte) => (isOdd(byte) ? byte | 0x80 : byte));
  if (isOneSpeed && listener.dataBits === 7) return bytes.map((byte) => byte & 0x7f);
  if (isOneSpeed) return bytes.filter((byte) => isOdd(byte));
  return bytes.map((byte, index) => (byte * 37 + index * 11) & 0xff);
}

function isOdd(byte: number): boolean {
  let bits = byte;
  for (const shift of [4, 2, 1]) bits ^= bits >> shift;
  return (bits & 1) === 1;
}
