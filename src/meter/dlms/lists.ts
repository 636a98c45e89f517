// Lists of DLMS push that do not say what they hold, as their makers publish them: what stands at which place, with scaler and unit. A
// list is recognised by the name that the meter writes into it, and by the number and kinds of its elements; one without a name by these
// alone where they are telling, else only where the meter's profile was named.

/** Code, scaler and DLMS unit: as text, for a chip keeps each array in a place of its own. */
type RegisterPlace = `${number}-${number}:${string},${number},${number}`;

/**
 * What stands at a place: the meter's id; the id where no better one comes; an id of eight digits; its clock; a time or a date alone; the
 * code of a push setup; a small number of no use; nothing of use; or a register's code, scaler and DLMS unit.
 */
export type Place =
  | "id"
  | "device"
  | "serial"
  | "clock"
  | "time"
  | "date"
  | "push-setup"
  | "byte"
  | "skip"
  | RegisterPlace;

export interface PositionList {
  /** What the list's first text begins with; undefined for a list without a name. */
  readonly prefix?: string;
  /** The profile that a list without a name, or one whose scalers differ, belongs to. */
  readonly profile?: string;
  /** The profile whose lists without a name the meter of this list sends as well: once it was read, they are known. */
  readonly announces?: string;
  /** A place and the tag that its value has, where two lists are of one length. */
  readonly discriminator?: readonly [place: number, tag: number];
  /** All registers of the list are of this tag. */
  readonly numbers?: number;
  /** Places of a total and of the two tariffs that make it, where nothing else tells the list from another one. */
  readonly totals?: readonly (readonly [total: number, first: number, second: number])[];
  readonly places: readonly Place[];
}

const doubleLongUnsigned = 6;
const longUnsigned = 18;

const power: readonly Place[] = ["1-0:1.7.0,0,27", "1-0:2.7.0,0,27", "1-0:3.7.0,0,29", "1-0:4.7.0,0,29"];
const energy: readonly Place[] = ["1-0:1.8.0,0,30", "1-0:2.8.0,0,30", "1-0:3.8.0,0,32", "1-0:4.8.0,0,32"];
const voltage = (scaler: number): readonly Place[] => [
  `1-0:32.7.0,${scaler},35`,
  `1-0:52.7.0,${scaler},35`,
  `1-0:72.7.0,${scaler},35`,
];
const current = (scaler: number): readonly Place[] => [
  `1-0:31.7.0,${scaler},33`,
  `1-0:51.7.0,${scaler},33`,
  `1-0:71.7.0,${scaler},33`,
];
const phaseImport: readonly Place[] = ["1-0:21.7.0,0,27", "1-0:41.7.0,0,27", "1-0:61.7.0,0,27"];
const phaseExport: readonly Place[] = ["1-0:22.7.0,0,27", "1-0:42.7.0,0,27", "1-0:62.7.0,0,27"];
const tariffEnergy: readonly Place[] = [
  "1-0:1.8.0,0,30",
  "1-0:1.8.1,0,30",
  "1-0:1.8.2,0,30",
  "1-0:2.8.0,0,30",
  "1-0:2.8.1,0,30",
  "1-0:2.8.2,0,30",
];

const serialAndTotals: readonly Place[] = ["serial", "byte", "1-0:1.8.0,0,30", "1-0:2.8.0,0,30"];
const kaifaSingle: readonly Place[] = ["skip", "id", "skip", ...power, "1-0:31.7.0,-3,33", "1-0:32.7.0,-1,35"];
const kaifaThree: readonly Place[] = ["skip", "id", "skip", ...power, ...current(-3), ...voltage(-1)];

/** Kaifa MA105 and MA304 in Norway (list version KFM_001); Iskraemeco AM550 and IE.5, whose lists begin with the device name ISK... */
export const positionLists: readonly PositionList[] = [
  { profile: "kaifa-norway", places: ["1-0:1.7.0,0,27"] },
  { prefix: "KFM_001", announces: "kaifa-norway", places: kaifaSingle },
  { prefix: "KFM_001", announces: "kaifa-norway", places: [...kaifaSingle, "clock", ...energy] },
  { prefix: "KFM_001", announces: "kaifa-norway", places: kaifaThree },
  { prefix: "KFM_001", announces: "kaifa-norway", places: [...kaifaThree, "clock", ...energy] },
  { prefix: "ISK", places: ["device", "id", ...power, ...voltage(-1), ...current(-2), ...phaseImport, ...phaseExport] },
  { prefix: "ISK", places: ["device", "id", ...voltage(-1), ...current(-2), ...power] },
  {
    prefix: "ISK",
    places: ["device", "id", "skip", "skip", ...tariffEnergy, "1-0:3.8.0,0,32", "1-0:4.8.0,0,32"],
  },
  {
    prefix: "ISK",
    discriminator: [6, longUnsigned],
    places: ["device", "id", ...power, "1-0:32.7.0,-1,35", "skip", "skip"],
  },
  {
    prefix: "ISK",
    discriminator: [6, longUnsigned],
    places: ["device", "id", ...power, "1-0:32.7.0,-1,35", "1-0:31.7.0,-2,33", "1-0:21.7.0,0,27", "1-0:22.7.0,0,27"],
  },
  {
    prefix: "ISK",
    discriminator: [6, doubleLongUnsigned],
    places: [
      "device",
      "id",
      "1-0:1.8.1,0,30",
      "1-0:1.8.2,0,30",
      "1-0:2.8.1,0,30",
      "1-0:2.8.2,0,30",
      "1-0:3.8.1,0,32",
      "1-0:3.8.2,0,32",
      "1-0:4.8.1,0,32",
      "1-0:4.8.2,0,32",
    ],
  },
  { prefix: "ISK", places: ["device", "id", "1-0:32.7.0,-1,35", "1-0:31.7.0,-2,33", ...power] },
  {
    prefix: "ISK",
    numbers: doubleLongUnsigned,
    totals: [
      [3, 4, 5],
      [6, 7, 8],
    ],
    places: ["id", "1-0:1.7.0,0,27", "1-0:2.7.0,0,27", ...tariffEnergy],
  },
  // What the same meter sends every quarter of an hour, and the meter of Carinthia.
  { numbers: doubleLongUnsigned, places: serialAndTotals },
  {
    numbers: doubleLongUnsigned,
    places: ["push-setup", "id", "time", "date", ...energy, "1-0:1.7.0,0,27", "1-0:2.7.0,0,27", "skip", "skip"],
  },
  {
    profile: "iskra-ie5",
    places: [
      "id",
      "skip",
      "skip",
      ...tariffEnergy,
      "1-0:5.8.0,0,32",
      "1-0:6.8.0,0,32",
      "1-0:7.8.0,0,32",
      "1-0:8.8.0,0,32",
      "1-0:1.7.0,0,27",
      "1-0:2.7.0,0,27",
      "1-0:13.7.0,-3,255",
      ...phaseImport,
      ...phaseExport,
      ...voltage(-1),
      ...current(-2),
      "skip",
      "skip",
      "skip",
      "skip",
      "skip",
    ],
  },
];
