// What the contracts of a block leave room for, as the rules take it into account: they run before that is known, and once more with it.

/** How much a block takes of what it could, by kind; undefined where nothing is in the way. */
export interface Room {
  /** operations, from the first on */
  readonly operations?: number;
  /** messages of each chain, from the next on; none of a chain that is not named */
  readonly messages?: ReadonlyMap<number, number>;
  /** runs for closed slots */
  readonly slots?: number;
  /** deadlines that have passed */
  readonly deadlines?: number;
}
