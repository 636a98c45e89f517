// What the clients of the other systems have in common.

/** How long a store may take to be answered. */
export const ANSWER_MAX_MS = 5_000;

/** A connection to one of the system's servers. */
export interface PeerConnection {
  /**
   * Resolves with true when the bytes are stored, with false where no answer came in time; rejects
   * where the system refuses.
   */
  store(key: string, bytes: Uint8Array): Promise<boolean>;
  close(): void;
}
