// Multiples of Ed25519's base point in windows of four bits: made while the ROM image is made, so that the chip finds them in flash
// and spends no RAM on them.

import { ed25519 } from "@noble/curves/ed25519.js";

const WINDOW_BITS = 4;

ed25519.Point.BASE.precompute(WINDOW_BITS, false);
