// How much of all answers together may be in memory and not yet taken, and how much of that one address may have. Pure.

export interface ByteBudget {
  hasRoom(group: string, bytes: number): boolean;
  /** Counts them, whether there is room or not. */
  add(group: string, bytes: number): void;
  release(group: string, bytes: number): void;
  readonly held_bytes: number;
}

export function createByteBudget(all_bytes_max: number, address_bytes_max: number): ByteBudget {
  const held = new Map<string, number>();
  let all = 0;
  const of = (group: string) => held.get(group) ?? 0;
  return {
    hasRoom: (group, bytes) => all + bytes <= all_bytes_max && of(group) + bytes <= address_bytes_max,
    add(group, bytes) {
      all += bytes;
      held.set(group, of(group) + bytes);
    },
    release(group, bytes) {
      all -= bytes;
      if (of(group) > bytes) held.set(group, of(group) - bytes);
      else held.delete(group);
    },
    get held_bytes() {
      return all;
    },
  };
}
