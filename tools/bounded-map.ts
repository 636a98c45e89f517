// A map with a limit: for whatever a node remembers of others, of which there may come more than it has room for.

/** Holds at most `most` entries, the one set last at the end; of more, the one that was not set for longest goes. */
export class BoundedMap<Key, Value> extends Map<Key, Value> {
  readonly #most: number;

  constructor(most: number) {
    super();
    this.#most = most;
  }

  override set(key: Key, value: Value): this {
    this.delete(key);
    super.set(key, value);
    if (this.size > this.#most) this.delete(this.keys().next().value!);
    return this;
  }
}
