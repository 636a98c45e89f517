// RFC 8949 appendix A through the guard: what is accepted means what the appendix says and is written back to the same bytes;
// what is refused is refused for one of the stated reasons.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { type CborValue, decodeCbor, encodeCbor } from "../../src/wire/cbor.js";
import { WireError } from "../../src/wire/error.js";
import { shared } from "../shared.js";

interface Example {
  readonly hex: string;
  readonly roundtrip: boolean;
  readonly decoded?: unknown;
  readonly diagnostic?: string;
}

/** Number of the appendix's examples that the guard refuses, by what its message says. */
const refusals: Readonly<Record<string, number>> = {
  "simple value or float": 26,
  "tag at": 8,
  "indefinite or reserved length": 11,
  "outside int64": 2,
};

const vectors = shared("vectors/cbor-test-vectors/appendix_a.json");

test("decodes or refuses every example of RFC 8949 appendix A", { skip: vectors.skip }, () => {
  // JSON.parse would round integers beyond 2^53: they are compared by their text.
  const examples = JSON.parse(
    readFileSync(vectors.path, "utf8").replace(/("decoded": )(-?\d{16,})/g, '$1"$2"'),
  ) as Example[];
  assert.equal(examples.length, 82);
  const seen: Record<string, number> = {};
  let accepted = 0;
  for (const example of examples) {
    const bytes = Buffer.from(example.hex, "hex");
    let value: CborValue;
    try {
      value = decodeCbor(bytes);
    } catch (thrown) {
      assert.ok(thrown instanceof WireError, example.hex);
      assert.equal(thrown.code, "encoding", example.hex);
      const reason = Object.keys(refusals).find((text) => thrown.message.includes(text));
      assert.ok(reason !== undefined, `${example.hex}: ${thrown.message}`);
      seen[reason] = (seen[reason] ?? 0) + 1;
      continue;
    }
    accepted += 1;
    assert.equal(example.roundtrip, true, example.hex);
    assert.equal(Buffer.from(encodeCbor(value)).toString("hex"), example.hex);
    if (example.diagnostic !== undefined) assert.equal(diagnostic(value), example.diagnostic);
    else assert.deepEqual(plain(value, example.decoded), example.decoded, example.hex);
  }
  assert.deepEqual(seen, refusals);
  assert.equal(accepted, examples.length - Object.values(refusals).reduce((sum, count) => sum + count, 0));
});

/** As JSON would have it: Maps as objects, large integers as text where the example has text. */
function plain(value: CborValue, expected: unknown): unknown {
  if (typeof value === "bigint") return typeof expected === "string" ? value.toString() : Number(value);
  if (Array.isArray(value)) return value.map((item, index) => plain(item, (expected as unknown[])[index]));
  if (value instanceof Map) {
    return Object.fromEntries(
      [...value].map(([key, entry]) => [key, plain(entry, (expected as Record<string, unknown>)[String(key)])]),
    );
  }
  return value;
}

/** Diagnostic notation (RFC 8949 section 8) of what JSON cannot say. */
function diagnostic(value: CborValue): string {
  if (value instanceof Uint8Array) return `h'${Buffer.from(value).toString("hex")}'`;
  if (value instanceof Map)
    return `{${[...value].map(([key, entry]) => `${diagnostic(key)}: ${diagnostic(entry)}`).join(", ")}}`;
  if (Array.isArray(value)) return `[${value.map(diagnostic).join(", ")}]`;
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
