// Finds Modbus RTU frames in a stream of bytes (Modbus over serial line 1.02; application protocol 1.1b3, sections 6.3, 6.4 and 7): the
// questions and answers of functions 3 and 4 and their exceptions. An answer does not say which registers it holds: only the question
// before it does. So both are followed, whether we ask or only listen.

import { crc16Modbus } from "../crc16.js";
import { createSlidingFramer, type SlidingFramer } from "../sliding.js";

/** What was asked. */
export interface ModbusQuestion {
  readonly address: number;
  readonly operation: number;
  readonly start: number;
  readonly count: number;
}

export type ModbusCut =
  | {
      readonly kind: "answer";
      readonly question: ModbusQuestion;
      readonly bytes: Uint8Array;
      /** The registers, two bytes each, or as wide as their values. */
      readonly registers: Uint8Array;
    }
  | { readonly kind: "refused"; readonly reason: "crc" | "truncated" | "malformed"; readonly detail: string };

export interface ModbusFramer extends SlidingFramer<ModbusCut> {
  /** A question was sent, and may come back as an echo. */
  asked(question: ModbusQuestion): void;
}

const readHolding = 3;
const readInput = 4;
const exception = 0x80;
const questionBytes = 8;
const exceptionBytes = 5;
const frameBytesMax = 255 + 5;
const countMax = 125;
/** What a line picks up while it turns round; more between a question and an answer may be another question that was not understood. */
const noiseBytesMax = 3;

/** A framer that has heard no question; `fits` tells whether an answer of so many bytes can be one to the question. */
export function createModbusFramer(fits: (question: ModbusQuestion, bytes: number) => boolean): ModbusFramer {
  let question: ModbusQuestion | undefined;
  let noiseBytes = 0;

  const ask = (heard: ModbusQuestion | undefined): void => {
    question = heard;
    noiseBytes = 0;
  };

  const examine = (buffer: Uint8Array, length: number, cuts: ModbusCut[]): number => {
    const verdict = examineFrame(buffer, length, cuts);
    if (verdict === -1 && ++noiseBytes > noiseBytesMax) question = undefined;
    return verdict;
  };

  const examineFrame = (buffer: Uint8Array, length: number, cuts: ModbusCut[]): number => {
    if (length < 2) return 2;
    const operation = buffer[1]! & ~exception;
    if (operation !== readHolding && operation !== readInput) return -1;
    if ((buffer[1]! & exception) !== 0) return examineException(buffer, length, cuts);
    const short = shortAnswer(buffer, length);
    if (short > length) return short;
    if (short > 0 && holds(buffer, short)) return examineAnswer(buffer, length, cuts);
    if (length < questionBytes) return questionBytes;
    if (holds(buffer, questionBytes)) {
      ask(questionIn(buffer));
      return question === undefined ? -1 : -questionBytes;
    }
    return examineAnswer(buffer, length, cuts);
  };

  /** The length of an answer that is shorter than a question, as to one register: what comes next is waited for in vain. 0 for others. */
  const shortAnswer = (buffer: Uint8Array, length: number): number => {
    if (question === undefined || buffer[0] !== question.address || buffer[1] !== question.operation) return 0;
    if (length < 3) return 3;
    const end = buffer[2]! + 5;
    return end < questionBytes && fits(question, buffer[2]!) ? end : 0;
  };

  const examineException = (buffer: Uint8Array, length: number, cuts: ModbusCut[]): number => {
    if (length < exceptionBytes) return exceptionBytes;
    if (!holds(buffer, exceptionBytes)) return -1;
    const detail = `meter ${buffer[0]} answers with exception ${buffer[2]}`;
    cuts.push({ kind: "refused", reason: "malformed", detail });
    return -exceptionBytes;
  };

  const examineAnswer = (buffer: Uint8Array, length: number, cuts: ModbusCut[]): number => {
    const end = buffer[2]! + 5;
    const expected =
      question !== undefined &&
      buffer[0] === question.address &&
      buffer[1] === question.operation &&
      fits(question, buffer[2]!);
    if (buffer[2] === 0 || buffer[2]! % 2 !== 0) return -1;
    if (length < end) return end;
    if (!holds(buffer, end)) {
      if (!expected) return -1;
      cuts.push({ kind: "refused", reason: "crc", detail: `the CRC of the answer of meter ${buffer[0]} is wrong` });
      return -1;
    }
    if (expected) {
      const bytes = buffer.slice(0, end);
      cuts.push({ kind: "answer", question: question!, bytes, registers: bytes.subarray(3, end - 2) });
    } else {
      const asked = question?.address === buffer[0] && question?.operation === buffer[1] ? question : undefined;
      const what = asked === undefined ? "to a question that was not heard" : `where ${2 * asked.count} were asked for`;
      const detail = `meter ${buffer[0]} answers ${buffer[2]} bytes ${what}`;
      cuts.push({ kind: "refused", reason: "malformed", detail });
    }
    question = undefined;
    return -end;
  };

  const framer = createSlidingFramer<ModbusCut>(frameBytesMax, examine);
  return {
    push: framer.push,
    end: framer.end,
    asked: ask,
    get noiseBytes() {
      return framer.noiseBytes;
    },
  };
}

/** The eight bytes of a question. */
export function encodeQuestion({ address, operation, start, count }: ModbusQuestion): Uint8Array {
  const bytes = Uint8Array.of(address, operation, start >> 8, start & 0xff, count >> 8, count & 0xff, 0, 0);
  const crc = crc16Modbus(bytes, 0, 6);
  bytes[6] = crc & 0xff;
  bytes[7] = crc >> 8;
  return bytes;
}

function questionIn(buffer: Uint8Array): ModbusQuestion | undefined {
  const count = buffer[4]! * 256 + buffer[5]!;
  if (count < 1 || count > countMax) return undefined;
  return { address: buffer[0]!, operation: buffer[1]!, start: buffer[2]! * 256 + buffer[3]!, count };
}

/** Whether the last two of the first `end` bytes are the CRC of the others, low byte first. */
function holds(buffer: Uint8Array, end: number): boolean {
  return crc16Modbus(buffer, 0, end - 2) === (buffer[end - 2]! | (buffer[end - 1]! << 8));
}
