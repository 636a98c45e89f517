import assert from "node:assert/strict";
import { test } from "node:test";
import { WireError } from "../../src/wire/error.js";

test("is made where Error.prototype is read-only, as it is in a meter's ROM", () => {
  const name = Object.getOwnPropertyDescriptor(Error.prototype, "name")!;
  Object.defineProperty(Error.prototype, "name", { ...name, writable: false });
  try {
    assert.equal(String(new WireError("shape", "not that")), "WireError: not that");
  } finally {
    Object.defineProperty(Error.prototype, "name", name);
  }
});
