// What a browser keeps of who is signed in, over a database whose transactions are as IndexedDB has them: one that writes runs alone.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Genesis } from "../../src/wire/genesis.js";
import { parseOperation } from "../../src/wire/operation.js";

/** Of files that are written for a browser: its types are not those of a test. */
interface Session {
  createKey(algorithm: "Ed25519"): Promise<object>;
  keepKey(genesis: Genesis, key: object): Promise<void>;
  readHolder(genesis: Genesis): Promise<{ readonly signed: Readonly<Record<number, { readonly seq: number }>> }>;
  signNext(genesis: Genesis, asked: object): Promise<{ readonly bytes: Uint8Array; readonly seq: number }>;
}

async function session(): Promise<Session> {
  const load = (name: string): Promise<object> => import(`../../tools/explorer/session/${name}.js`);
  return { ...(await load("browser-key")), ...(await load("holder")) } as Session;
}

interface Asking {
  result?: unknown;
  onsuccess?: () => void;
}

/** A transaction is complete when all that was asked for is answered, and what the answers asked for. */
function transactionOver(rows: Map<string, unknown>, isOver: () => void) {
  const transaction: { oncomplete?: () => void; objectStore(): object } = {
    objectStore: () => ({
      get: (key: string) => ask(() => rows.get(key)),
      put: (value: unknown, key: string) => ask(() => void rows.set(key, value)),
    }),
  };
  let open = 0;
  function ask(answer: () => unknown): Asking {
    const asking: Asking = {};
    open += 1;
    setImmediate(() => {
      asking.result = answer();
      asking.onsuccess?.();
      open -= 1;
      if (open > 0) return;
      isOver();
      transaction.oncomplete?.();
    });
    return asking;
  }
  return transaction;
}

/** Those that are asked for while one runs wait: `objectStore` of a real one would hold requests back. */
function databaseOver(rows: Map<string, unknown>) {
  const database = { close() {}, transaction: () => transactionOver(rows, () => next()) };
  const queue: (() => void)[] = [];
  let isBusy = false;
  const next = () => {
    isBusy = false;
    queue.shift()?.();
  };
  return {
    open() {
      const opening: Asking = { result: database };
      const begin = () => {
        isBusy = true;
        opening.onsuccess?.();
      };
      setImmediate(() => (isBusy ? queue.push(begin) : begin()));
      return opening;
    },
  };
}

test("tabs that sign at once sign different numbers, each upon the one before", async (t) => {
  const before = Object.getOwnPropertyDescriptor(globalThis, "indexedDB");
  Object.defineProperty(globalThis, "indexedDB", { value: databaseOver(new Map()), configurable: true });
  t.after(() => Object.defineProperty(globalThis, "indexedDB", before ?? { value: undefined, configurable: true }));
  const { createKey, keepKey, readHolder, signNext } = await session();
  const genesis = { hash: new Uint8Array(32) } as Genesis;
  await keepKey(genesis, await createKey("Ed25519"));
  await assert.rejects(
    createKey("Ed25519").then((key) => keepKey(genesis, key)),
    /another tab has made a key/,
  );
  const tabs = [1, 2, 3, 4, 5];
  const signed = await Promise.all(
    tabs.map((n) => signNext(genesis, { service: 1, type: 273, body: { n }, sealed: undefined })),
  );
  const inOrder = signed.sort((one, other) => one.seq - other.seq);
  assert.deepEqual(
    inOrder.map(({ seq }) => seq),
    [0, 1, 2, 3, 4],
  );
  for (const [seq, { bytes }] of inOrder.entries()) {
    const previous = seq === 0 ? new Uint8Array(0) : parseOperation(inOrder[seq - 1]!.bytes).hash;
    assert.deepEqual(parseOperation(bytes).claims.previous, previous, `operation ${seq}`);
  }
  assert.equal((await readHolder(genesis)).signed[1]?.seq, 4);
});
