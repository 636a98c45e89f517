import assert from "node:assert/strict";
import { test } from "node:test";
import { createAnswering } from "../../tools/crypto/answering.js";

test("messages are answered in the order in which they came, though the thread rests after the first", async () => {
  const said: string[] = [];
  await new Promise<void>((resolve) => {
    const take = createAnswering({
      verify(packed) {
        said.push(`verified ${packed[0]}`);
        return packed;
      },
      restAfter: () => (said.length === 1 ? 30 : 0),
      answer(results) {
        said.push(`answered ${results[0]}`);
        if (results[0] === 3) resolve();
      },
    });
    for (const number of [1, 2, 3]) take(Uint8Array.of(number));
  });
  assert.deepEqual(said, ["verified 1", "answered 1", "verified 2", "answered 2", "verified 3", "answered 3"]);
});
