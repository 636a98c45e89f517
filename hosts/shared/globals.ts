// What src expects of every engine and the SDK has as a module, and what libraries expect of built-ins whose names the build strips.
// Runs once, while the ROM image is made, before everything that needs it.

import Encoder from "text/encoder";

/** Without one, cbor-x decodes text by handing each character over as an argument, which a meter's stack has no room for. */
class Decoder {
  decode(bytes: Uint8Array): string {
    return String.fromArrayBuffer(bytes.slice().buffer as ArrayBuffer);
  }
}

const engine = globalThis as { TextEncoder?: unknown; TextDecoder?: unknown };
engine.TextEncoder = Encoder;
engine.TextDecoder = Decoder;

/** cbor-x makes decoders of typed arrays by name. */
const named = {
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
};

for (const [value, typedArray] of Object.entries(named)) {
  if (typedArray.name !== value) Object.defineProperty(typedArray, "name", { value, configurable: true });
}
