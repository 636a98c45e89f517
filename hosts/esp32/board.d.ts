// What a board says of itself in its host/provider.js; the SDK makes it `globalThis.device`.

interface Board {
  /** the UART that the meter is at */
  readonly meter: { readonly port: number; readonly receive: number; readonly transmit?: number };
  /** the UART of the field engineer's console */
  readonly console: { readonly port: number; readonly receive: number; readonly transmit: number };
  /** `on` is the level that lights it */
  readonly led: { readonly pin: number; readonly on: 0 | 1 };
  /** the S0 input */
  readonly pulse: { readonly pin: number };
  /** P1's data request, driven high for good */
  readonly request?: { readonly pin: number };
}

declare const device: Board;
