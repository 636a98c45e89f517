// What a reader that asks its meter wants done at the port.

export type PortAction =
  | { readonly kind: "send"; readonly bytes: Uint8Array }
  /** Once all that was sent before has left the port, both directions go on at this speed; bits and parity stay. */
  | { readonly kind: "speed"; readonly baud: number };
