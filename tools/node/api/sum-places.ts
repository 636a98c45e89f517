// Who may have a long sum worked out: one of each address at a time, a few of all addresses. The others wait for their turn, address
// by address, so that whoever asks for many keeps nobody else from one. Pure.

export interface SumPlaces {
  /** Resolves when it is the address' turn, with what gives the place back; that does so once, however often it is called. */
  take(group: string): Promise<() => void>;
}

export function createSumPlaces(places_max: number): SumPlaces {
  const busy = new Set<string>();
  /** by address, the one whose turn is next first */
  const waiting = new Map<string, (() => void)[]>();

  const fill = (): void => {
    for (const [group, of] of waiting) {
      if (busy.size >= places_max) return;
      if (busy.has(group)) continue;
      // Behind the others with what else it asks for.
      waiting.delete(group);
      const begin = of.shift();
      if (of.length > 0) waiting.set(group, of);
      busy.add(group);
      begin?.();
    }
  };
  const release = (group: string) => {
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      busy.delete(group);
      fill();
    };
  };
  return {
    take: (group) =>
      new Promise((resolve) => {
        const of = waiting.get(group) ?? [];
        waiting.set(group, of);
        of.push(() => resolve(release(group)));
        fill();
      }),
  };
}
