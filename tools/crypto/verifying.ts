// The signature predicate off the event loop: threads that take many signatures at a time. A task of libuv's pool for each costs
// the event loop a quarter of what the verification itself takes, and the store's writes would wait in the same queue.
// What anybody can cause, records and births as they come, queues by itself, so that members' temporary blocks never wait behind it.
// What nobody waits for has a thread of its own, which gets what processors others leave (setpriority(2)).

import { availableParallelism } from "node:os";
import type { Worker } from "node:worker_threads";
import type { PublicKey } from "../../src/wire/key.js";
import { startThread } from "../thread.js";
import { isWellFormed, isWholeKey, nodeVerify } from "./signatures.js";
import {
  createVerifyingMessage,
  type RecordVerification,
  reuseMessage,
  type Verification,
  verificationsIn,
} from "./verifying-message.js";
import type { VerifyingThread } from "./verifying-thread.js";

const THREADS_MAX = 4;
/** Signatures that cross together: some milliseconds of work, so that the threads share what comes at once. */
const SIGNATURES_PER_MESSAGE = 64;
/** What nobody waits for is gathered for so long: a meter's record is cut into a temporary block much later. */
const GATHERING_MS = 20;
/** Messages with one thread: the next one is there when it has done the first. */
const MESSAGES_PER_THREAD = 2;

/**
 * `members`: what nodes have signed or passed on. `anybody`: what came from a client, who may have no key of the network. `late`: what
 * nobody waits for.
 */
type Lane = "members" | "anybody" | "late";

/** Signatures that cross together. They are copied as they come, so that nothing else of a record waits for its turn. */
interface Group {
  readonly lane: Lane;
  readonly message: ReturnType<typeof createVerifyingMessage>;
  /** whose each of them is */
  readonly waiters: Waiter[];
}

/** Who waits for some signatures, all of which must be good. */
interface Waiter {
  /** not verified yet */
  open: number;
  areGood: boolean;
  readonly answer: Promise<boolean>;
  readonly resolve: (areGood: boolean) => void;
}

interface Thread {
  readonly worker: Worker;
  /** for the lane `late` alone, which no other thread serves */
  readonly isLate: boolean;
  /** what it has been given and not answered, in order */
  readonly given: Group[];
}

const threads: Thread[] = [];
/** not given to a thread yet; the last one of each is open */
const waiting: Readonly<Record<Lane, Group[]>> = { members: [], anybody: [], late: [] };
let isHandingOut = false;
let gathering: NodeJS.Timeout | undefined;

/** `nodeVerify` in a thread; resolves, never rejects. Begun in the order of the calls. */
export function verifyAsync(key: PublicKey, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  if (!isWellFormed(key, signature)) return Promise.resolve(false);
  const waiter = createWaiter(1);
  put("members", { key, message, signature }, waiter);
  handOutNext();
  return waiter.answer;
}

/** As `verifyAsync`, of what a client brought: members' signatures come first. */
export function verifyOfAnybody(key: PublicKey, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  if (!isWellFormed(key, signature)) return Promise.resolve(false);
  const waiter = createWaiter(1);
  put("anybody", { key, message, signature }, waiter);
  handOutNext();
  return waiter.answer;
}

/**
 * Whether all of the records, none with disclosures, are signed by the keys beside them, by `nodeVerify` in threads; resolves, never
 * rejects. One promise for many, and no memory for what is signed but the message, cost the collector less.
 */
export function verifyRecords(records: readonly RecordVerification[]): Promise<boolean> {
  return verifyAll("members", records);
}

/** As `verifyRecords`, when nothing else waits, by a thread that yields to all others of the machine. */
export function verifyRecordsLater(records: readonly RecordVerification[]): Promise<boolean> {
  return verifyAll("late", records);
}

function verifyAll(lane: Lane, records: readonly RecordVerification[]): Promise<boolean> {
  if (records.length === 0) return Promise.resolve(true);
  const waiter = createWaiter(records.length);
  for (const verification of records) {
    if (isWholeKey(verification.key)) put(lane, verification, waiter);
    else answerWaiter(waiter, false);
  }
  handOutNext();
  return waiter.answer;
}

/**
 * Whether the record, without disclosures, is signed by the key; as `verifyOfAnybody`, but some milliseconds later where the threads
 * have nothing to do: what comes one by one crosses together, and what follows from it, writes to the disk and answers, is done together.
 */
export function verifySoon(key: PublicKey, record: Uint8Array): Promise<boolean> {
  if (!isWholeKey(key)) return Promise.resolve(false);
  const waiter = createWaiter(1);
  const isFull = put("anybody", { key, record }, waiter) === SIGNATURES_PER_MESSAGE;
  if (isFull) handOutNext();
  else if (!isHandingOut) gathering ??= setTimeout(handOut, GATHERING_MS);
  return waiter.answer;
}

function createWaiter(open: number): Waiter {
  let resolve!: Waiter["resolve"];
  const answer = new Promise<boolean>((answered) => {
    resolve = answered;
  });
  return { open, areGood: true, answer, resolve };
}

/** Returns how many the lane's open group has now. */
function put(lane: Lane, verification: Verification | RecordVerification, waiter: Waiter): number {
  const last = waiting[lane].at(-1);
  const isOpen = last !== undefined && last.waiters.length < SIGNATURES_PER_MESSAGE;
  if (isOpen && last.message.add(verification)) return last.waiters.push(waiter);
  const group = { lane, message: createVerifyingMessage(), waiters: [waiter] };
  group.message.add(verification);
  waiting[lane].push(group);
  return 1;
}

function answerWaiter(waiter: Waiter, isGood: boolean): void {
  waiter.areGood &&= isGood;
  waiter.open -= 1;
  if (waiter.open === 0) waiter.resolve(waiter.areGood);
}

/** What this turn of the event loop reads crosses together. */
function handOutNext(): void {
  if (isHandingOut) return;
  isHandingOut = true;
  setImmediate(handOut);
}

function handOut(): void {
  isHandingOut = false;
  clearTimeout(gathering);
  gathering = undefined;
  for (let lane = nextLane(); lane !== undefined; lane = nextLane()) {
    const thread = threadFor(lane);
    if (thread === undefined) return;
    const group = waiting[lane].shift()!;
    if (thread.given.length === 0) thread.worker.ref();
    thread.given.push(group);
    thread.worker.postMessage(group.message.bytes());
  }
}

/** Members' first; but of what anybody brought one group is always under way, so that meters wait behind no flood of blocks either. */
function nextLane(): Lane | undefined {
  const mayAnybody = waiting.anybody.length > 0 && threadFor("anybody") !== undefined;
  if (waiting.members.length === 0) return mayAnybody ? "anybody" : nextLate();
  return mayAnybody && !threads.some(hasOfAnybody) ? "anybody" : "members";
}

/** Where nothing else waits. */
function nextLate(): Lane | undefined {
  if (waiting.late.length === 0 || waiting.anybody.length > 0) return undefined;
  return threadFor("late") === undefined ? undefined : "late";
}

function hasOfAnybody({ given }: Thread): boolean {
  return given.some(({ lane }) => lane === "anybody");
}

/** A thread with room, a new one where all have work; undefined where none has room. A thread has one group of anybody's at a time. */
function threadFor(lane: Lane): Thread | undefined {
  const isLate = lane === "late";
  const ofKind = threads.filter((thread) => thread.isLate === isLate);
  const fit = lane !== "anybody" ? ofKind : ofKind.filter((thread) => !hasOfAnybody(thread));
  const [first] = fit.toSorted((left, right) => left.given.length - right.given.length);
  const mayStart = ofKind.length < (isLate ? 1 : Math.min(THREADS_MAX, availableParallelism()));
  if ((first === undefined || first.given.length > 0) && mayStart) return addThread(isLate);
  return first !== undefined && first.given.length < MESSAGES_PER_THREAD ? first : undefined;
}

function addThread(isLate: boolean): Thread {
  const workerData: VerifyingThread = { isLate };
  const thread: Thread = { worker: startThread("crypto/verifying-thread", { workerData }), isLate, given: [] };
  threads.push(thread);
  thread.worker.unref(); // a thread without work holds no process
  thread.worker.on("message", (results: Uint8Array) => {
    const { message, waiters } = thread.given.shift()!;
    if (thread.given.length === 0) thread.worker.unref();
    reuseMessage(message.bytes());
    for (const [index, waiter] of waiters.entries()) answerWaiter(waiter, results[index] === 1);
    handOut();
  });
  // A thread that could not be started or ran out of memory says nothing of the signatures that it had.
  thread.worker.on("error", () => undefined);
  thread.worker.on("exit", () => {
    threads.splice(threads.indexOf(thread), 1);
    for (const { message, waiters } of thread.given) {
      const verifications = [...verificationsIn(message.bytes())];
      for (const [index, { key, message: signed, signature }] of verifications.entries()) {
        answerWaiter(waiters[index]!, nodeVerify(key, signed, signature));
      }
    }
    handOut();
  });
  return thread;
}
