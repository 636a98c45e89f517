// What a route may send on a stream of server-sent events, piece by piece (HTML Living Standard, section 9.2).

export interface EventStream {
  /** Sends a piece; false while the reader has not taken what was sent before, and `onTaken` says when it has. */
  send(bytes: Uint8Array): boolean;
  onTaken(callback: () => void): void;
  onClosed(callback: () => void): void;
  /** Ends the stream in order. */
  end(): void;
  /** Gives the reader up. */
  destroy(): void;
}
