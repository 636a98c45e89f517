// Answers on their way. A long one is read in turns and sent in pieces, the next when the one before has gone, so that a connection
// holds one piece; all of them together keep to a budget, and who does not take an answer in time is closed.

import type { ServerResponse } from "node:http";
import type { FastifyReply } from "fastify";
import type { ByteBudget } from "./byte-budget.js";
import type { Turns } from "./turns.js";

/** Read before it is sent, but for an item that is longer. Each piece waits for a turn, which comes late where there is much to do. */
const PIECE_BYTES = 262_144;
/** Sent at a time, the next part when this one has gone: so what was taken is known. */
const PART_BYTES = 32_768;
/** Reading a piece ends after so long, whatever has been read. */
const PIECE_MS = 1;
/** An answer may wait so long for its reader, and longer for each byte that was taken. */
const TAKING_MS = 10_000;
const TAKING_BYTES_MS = 16;
/** Long answers at one time, and of them those to one address: the system's own buffers hold megabytes of each. */
const LONG_MAX = 64;
const LONG_OF_ADDRESS_MAX = 16;
/** Where there are so many, a reader that has taken nothing for so long makes room. */
const STALLED_MS = 1_000;

/**
 * What an answer is made of, in turns: blocks, orders. Each is whole, so that an answer may end behind any. Where it ends before the
 * last, `return` is called.
 */
export type Items = Iterator<Uint8Array, void>;

export interface Piece {
  readonly bytes: Uint8Array;
  readonly items: number;
  readonly isLast: boolean;
  /** why the item behind it cannot be read */
  readonly broken: Error | undefined;
}

export interface AnswersPorts {
  readonly turns: Turns;
  readonly budget: ByteBudget;
  monotonic_ms(): number;
  /** A piece of an answer to this address has been read. */
  onRead(group: string, piece: Piece): void;
  /** An answer was not taken in time; its connection is closed. */
  onSlow(): void;
  /** An answer that has begun cannot be read on; its connection is closed. */
  onBroken(error: unknown): void;
}

interface Answer {
  readonly raw: ServerResponse;
  readonly group: string;
  readonly isLong: boolean;
  held_bytes: number;
  taken_bytes: number;
  /** for its reader, before the present wait */
  waited_ms: number;
  /** since when the reader is waited for; undefined while this node has nothing to send */
  since_ms: number | undefined;
}

export interface Answers {
  /** Counts an answer that is sent at once, until it has gone. */
  sent(raw: ServerResponse, group: string, bytes: number): void;
  /** False where there is no room for it, nothing having been sent; rejects where the first item cannot be read. */
  send(reply: FastifyReply, group: string, head: AnswerHead, items: Items): Promise<boolean>;
  /** Closes the connections of who takes too long. */
  closeSlow(): void;
}

export interface AnswerHead {
  readonly type: string;
  readonly length?: number;
}

export function createAnswers(ports: AnswersPorts): Answers {
  const open = new Set<Answer>();
  return {
    sent(raw, group, bytes) {
      waitForReader(begin(ports, open, { raw, group, isLong: false }), ports, bytes);
    },
    async send(reply, group, { type, length }, items) {
      const { raw } = reply;
      // Whose reader has gone meanwhile is not read at all.
      const first = await ports.turns.next(() => (raw.destroyed ? undefined : readPiece(ports, group, items)));
      if (first === undefined) {
        items.return?.();
        reply.hijack();
        return true;
      }
      if (!ports.budget.hasRoom(group, first.bytes.length) || !makeRoom(ports, open, group)) {
        items.return?.();
        return false;
      }
      reply.hijack();
      raw.writeHead(200, { "content-type": type, ...(length !== undefined && { "content-length": length }) });
      const answer = begin(ports, open, { raw, group, isLong: true });
      if (reply.request.method === "HEAD") {
        items.return?.();
        endAnswer(answer, ports);
      } else {
        sendPieces(answer, ports, first, items)
          .catch((error: unknown) => {
            raw.destroy();
            ports.onBroken(error);
          })
          .finally(() => items.return?.());
      }
      return true;
    },
    closeSlow() {
      const now_ms = ports.monotonic_ms();
      for (const answer of open) {
        if (answer.since_ms === undefined) continue;
        const waited_ms = answer.waited_ms + now_ms - answer.since_ms;
        if (waited_ms > TAKING_MS + answer.taken_bytes / TAKING_BYTES_MS) giveUp(ports, open, answer);
      }
    },
  };
}

type AnswerTo = Pick<Answer, "raw" | "group" | "isLong">;

function begin(ports: AnswersPorts, open: Set<Answer>, to: AnswerTo): Answer {
  const answer: Answer = { ...to, held_bytes: 0, taken_bytes: 0, waited_ms: 0, since_ms: undefined };
  const { raw, group } = to;
  open.add(answer);
  raw.once("close", () => {
    open.delete(answer);
    ports.budget.release(group, answer.held_bytes);
    answer.held_bytes = 0;
  });
  raw.on("error", () => undefined); // its close follows
  return answer;
}

/** False where as many long answers are on their way as may be, and every reader takes what it is sent. */
function makeRoom(ports: AnswersPorts, open: Set<Answer>, group: string): boolean {
  const long = [...open].filter(({ isLong }) => isLong);
  const ofAddress = long.filter((answer) => answer.group === group);
  const isFull = long.length >= LONG_MAX;
  if (!isFull && ofAddress.length < LONG_OF_ADDRESS_MAX) return true;
  const stalledBefore_ms = ports.monotonic_ms() - STALLED_MS;
  const longest = (isFull ? long : ofAddress)
    .filter(({ since_ms }) => since_ms !== undefined && since_ms < stalledBefore_ms)
    .sort((left, right) => left.since_ms! - right.since_ms!)[0];
  if (longest === undefined) return false;
  giveUp(ports, open, longest);
  return true;
}

function giveUp(ports: AnswersPorts, open: Set<Answer>, answer: Answer): void {
  open.delete(answer);
  ports.onSlow();
  // Closed in order, the system would keep what the reader does not take for minutes.
  answer.raw.socket?.resetAndDestroy();
}

function readPiece({ monotonic_ms, onRead }: AnswersPorts, group: string, items: Items): Piece {
  const started_ms = monotonic_ms();
  const read: Uint8Array[] = [];
  let length = 0;
  let isLast = false;
  let broken: Error | undefined;
  while (length < PIECE_BYTES && monotonic_ms() - started_ms < PIECE_MS) {
    try {
      const { value, done } = items.next();
      isLast = done === true;
      if (value === undefined) break;
      read.push(value);
      length += value.length;
    } catch (error) {
      // What was read before is sent first.
      if (!(error instanceof Error) || read.length === 0) throw error;
      broken = error;
      break;
    }
  }
  const piece = { bytes: read.length === 1 ? read[0]! : Buffer.concat(read), items: read.length, isLast, broken };
  onRead(group, piece);
  return piece;
}

async function sendPieces(answer: Answer, ports: AnswersPorts, first: Piece, items: Items): Promise<void> {
  for (let piece = first; !answer.raw.destroyed; ) {
    await sendPiece(answer, ports, piece.bytes);
    if (piece.broken !== undefined) throw piece.broken;
    if (piece.isLast || answer.raw.destroyed) break;
    piece = await ports.turns.next(() => readPiece(ports, answer.group, items));
    // What finds no room is left to the reader's next request.
    if (!ports.budget.hasRoom(answer.group, piece.bytes.length)) break;
  }
  endAnswer(answer, ports);
}

/** Resolves when the piece has gone, or the connection has. */
async function sendPiece(answer: Answer, ports: AnswersPorts, bytes: Uint8Array): Promise<void> {
  waitForReader(answer, ports, bytes.length);
  for (let at = 0; at < bytes.length && !answer.raw.destroyed; at += PART_BYTES) {
    const part = bytes.subarray(at, at + PART_BYTES);
    await new Promise<void>((resolve) => {
      answer.raw.once("close", resolve);
      answer.raw.write(part, () => {
        answer.raw.off("close", resolve);
        resolve();
      });
    });
    answer.taken_bytes += part.length;
    const now_ms = ports.monotonic_ms();
    answer.waited_ms += now_ms - (answer.since_ms ?? now_ms);
    answer.since_ms = now_ms;
  }
  answer.since_ms = undefined;
  ports.budget.release(answer.group, answer.held_bytes);
  answer.held_bytes = 0;
}

function waitForReader(answer: Answer, { budget, monotonic_ms }: AnswersPorts, bytes: number): void {
  answer.since_ms = monotonic_ms();
  answer.held_bytes = bytes;
  budget.add(answer.group, bytes);
}

function endAnswer(answer: Answer, { monotonic_ms }: AnswersPorts): void {
  answer.since_ms = monotonic_ms();
  answer.raw.end();
}
