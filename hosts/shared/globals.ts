// What src expects of every engine and the SDK has as a module, or as a function of its own.
// Runs once, while the ROM image is made, before everything that needs it.

import Encoder from "text/encoder";

class Decoder {
  decode(bytes: Uint8Array): string {
    return String.fromArrayBuffer(bytes.slice().buffer as ArrayBuffer);
  }
}

const engine = globalThis as { TextEncoder?: unknown; TextDecoder?: unknown };
engine.TextEncoder = Encoder;
engine.TextDecoder = Decoder;
