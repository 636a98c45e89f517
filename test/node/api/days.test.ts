// A day's sums, over blocks of two days: what counts for which day, what is late, doubtful, pruned, and that an operation is no meter's.

import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeBlock } from "../../../src/wire/block.js";
import { toHex } from "../../../src/wire/bytes.js";
import { keyId } from "../../../src/wire/key.js";
import { dayRoute, keepRows } from "../../../tools/node/api/resources/days.js";
import type { Asked, Outcome, Route } from "../../../tools/node/api/route.js";
import { outlineOf } from "../../../tools/node/store/outline.js";
import type { Store } from "../../../tools/node/store/store.js";
import { DAY_S, type DayRow, decodeDayRow } from "../../../tools/routes/days.js";
import { buildChain, makeMeter } from "../../audit/chain-builder.js";

const chain = buildChain();
const [meter, other] = [makeMeter(1), makeMeter(2)];
const first_s = decodeTime(chain.seal({ records: [meter.record()], credentials: [meter.credential] }));
chain.seal({ records: [meter.record({ errors: 5 }), meter.record({ time_s: first_s - 2_000 })] });
chain.seal({ records: [other.record()], credentials: [other.credential] });

function decodeTime(_: unknown): number {
  return Math.floor(decodeBlock(chain.blocks.at(-1)!).time_ms / 1_000);
}

/** A store that has what `kept` leaves of the blocks. */
function storeOf(isKept: (height: number) => boolean): Store {
  const get = (table: { readonly name: string }, key: Buffer) => {
    if (table.name === "heads") return { height: chain.blocks.length };
    const height = Number(key.readUIntBE(key.length - 5, 5));
    const block = chain.blocks[height - 1];
    if (block === undefined) return undefined;
    if (table.name === "blocks") return isKept(height) ? block : undefined;
    return isKept(height) ? undefined : outlineOf(decodeBlock(block));
  };
  return { get } as unknown as Store;
}

async function ask(store: Store, day: number): Promise<readonly DayRow[] | string> {
  const answer = await askOf(dayRoute(store), "a", day);
  return answer.type === "refused" ? answer.code : rowsIn(answer);
}

async function askOf({ answer }: Route, group: string, day: number): Promise<Outcome> {
  return answer({ parameters: { service: 1, day }, group } as Asked);
}

/** All rows of an answer, read to its end. */
function rowsIn(answer: Outcome): DayRow[] {
  assert.ok(answer.type === "long");
  const rows: DayRow[] = [];
  for (let item = answer.items.next(); item.done !== true; item = answer.items.next()) {
    if (item.value.length > 0) rows.push(decodeDayRow(item.value));
  }
  return rows;
}

const day = Math.floor(first_s / DAY_S);
const kidOf = (made: typeof meter) => toHex(keyId(made.signer.key));

test("sums up each meter's records of the day, in the order of their ids", async () => {
  const rows = await ask(
    storeOf(() => true),
    day,
  );
  assert.ok(typeof rows !== "string", "the day is answered");
  const own = rows.find(({ kid }) => toHex(kid) === kidOf(meter));
  assert.deepEqual({ ...own, kid: undefined }, { kid: undefined, records: 3, first: 0, last: 2, late: 1, doubtful: 1 });
  assert.deepEqual(
    rows.map(({ kid }) => toHex(kid)),
    [kidOf(meter), kidOf(other)].sort(),
  );
});

test("a day before and a day behind have nothing", async () => {
  const store = storeOf(() => true);
  assert.deepEqual(await ask(store, day - 1), []);
  assert.deepEqual(await ask(store, day + 1), []);
});

test("a day whose first block is pruned is refused", async () => {
  assert.equal(
    await ask(
      storeOf((height) => height > 1),
      day,
    ),
    "pruned",
  );
});

test("who asks while others have days summed up waits for his own alone, and is never refused", async () => {
  const route = dayRoute(storeOf(() => true));
  const begun = await askOf(route, "a", day);
  assert.ok(begun.type === "long");
  begun.items.next();
  const came: string[] = [];
  const later = ["a", "a", "b"].map(async (group) => {
    const answer = await askOf(route, group, day);
    came.push(group);
    return rowsIn(answer).length;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(came, ["b"]);
  // Its reader has gone: whoever waits behind it is next.
  begun.items.return?.();
  assert.deepEqual(await Promise.all(later), [2, 2, 2]);
  assert.deepEqual(came, ["b", "a", "a"]);
});

test("a damaged row gives the place back to who waits", async () => {
  let isDamaged = false;
  const route = dayRoute(
    storeOf(() => {
      if (isDamaged) throw new Error("damaged");
      return true;
    }),
  );
  const begun = await askOf(route, "a", day);
  assert.ok(begun.type === "long");
  const next = askOf(route, "a", day);
  isDamaged = true;
  assert.throws(() => rowsIn(begun), /damaged/);
  await assert.rejects(next, /damaged/);
  isDamaged = false;
  assert.equal(rowsIn(await askOf(route, "a", day)).length, 2);
});

test("days are kept up to so many rows in all, and those that were kept first go", () => {
  const kept = new Map<string, readonly Uint8Array[]>();
  const rows = (count: number) => Array.from({ length: count }, () => new Uint8Array(1));
  for (const [name, count] of [
    ["a", 4],
    ["b", 4],
    ["c", 2],
    ["d", 3],
    ["e", 11],
  ] as const) {
    keepRows(kept, name, rows(count), 10);
  }
  assert.deepEqual([...kept.keys()], ["b", "c", "d"]);
});
