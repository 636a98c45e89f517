// Envelopes that are being written with this node's share: until they are durable the store says that they are not there, and who writes
// one for another reason would write over the share.

export interface EnvelopesUnderWay {
  /** Runs the write of the envelope in this place. Rejects as it does. */
  during(place: Buffer, write: () => Promise<void>): Promise<void>;
  /** Resolves once no write of the envelope is under way, whatever became of it. */
  settled(place: Buffer): Promise<void>;
}

export function createEnvelopesUnderWay(): EnvelopesUnderWay {
  /** by place as hex; no more than frames that are being taken */
  const writes = new Map<string, Promise<void>>();
  return {
    async during(place, write) {
      const name = place.toString("hex");
      const writing = write();
      writes.set(name, writing);
      try {
        await writing;
      } finally {
        if (writes.get(name) === writing) writes.delete(name);
      }
    },
    async settled(place) {
      const name = place.toString("hex");
      for (let writing = writes.get(name); writing !== undefined; writing = writes.get(name)) {
        await writing.catch(() => undefined); // whose frame it is hears of it
        if (writes.get(name) === writing) writes.delete(name);
      }
    },
  };
}
