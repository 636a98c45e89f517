// Lists of DLMS push that do not say what they hold, as their makers publish them: what stands at which place, with scaler and unit. A
// list is recognised by the name that the meter writes into it, and by the number and kinds of its elements; one without a name by these
// alone where they are telling, else only where the meter's profile was named.

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
  | readonly [obis: string, scaler: number, unit: number];

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

const W = 27;
const VAR = 29;
const WH = 30;
const VARH = 32;
const A = 33;
const V = 35;
const PLAIN = 255;
const doubleLongUnsigned = 6;
const longUnsigned = 18;

const power: readonly Place[] = [
  ["1-0:1.7.0", 0, W],
  ["1-0:2.7.0", 0, W],
  ["1-0:3.7.0", 0, VAR],
  ["1-0:4.7.0", 0, VAR],
];
const energy: readonly Place[] = [
  ["1-0:1.8.0", 0, WH],
  ["1-0:2.8.0", 0, WH],
  ["1-0:3.8.0", 0, VARH],
  ["1-0:4.8.0", 0, VARH],
];
const voltage = (scaler: number): readonly Place[] => [
  ["1-0:32.7.0", scaler, V],
  ["1-0:52.7.0", scaler, V],
  ["1-0:72.7.0", scaler, V],
];
const current = (scaler: number): readonly Place[] => [
  ["1-0:31.7.0", scaler, A],
  ["1-0:51.7.0", scaler, A],
  ["1-0:71.7.0", scaler, A],
];
const phaseImport: readonly Place[] = [
  ["1-0:21.7.0", 0, W],
  ["1-0:41.7.0", 0, W],
  ["1-0:61.7.0", 0, W],
];
const phaseExport: readonly Place[] = [
  ["1-0:22.7.0", 0, W],
  ["1-0:42.7.0", 0, W],
  ["1-0:62.7.0", 0, W],
];
const tariffEnergy: readonly Place[] = [
  ["1-0:1.8.0", 0, WH],
  ["1-0:1.8.1", 0, WH],
  ["1-0:1.8.2", 0, WH],
  ["1-0:2.8.0", 0, WH],
  ["1-0:2.8.1", 0, WH],
  ["1-0:2.8.2", 0, WH],
];

const serialAndTotals: readonly Place[] = ["serial", "byte", ["1-0:1.8.0", 0, WH], ["1-0:2.8.0", 0, WH]];
const kaifaSingle: readonly Place[] = ["skip", "id", "skip", ...power, ["1-0:31.7.0", -3, A], ["1-0:32.7.0", -1, V]];
const kaifaThree: readonly Place[] = ["skip", "id", "skip", ...power, ...current(-3), ...voltage(-1)];

/** Kaifa MA105 and MA304 in Norway (list version KFM_001); Iskraemeco AM550 and IE.5, whose lists begin with the device name ISK... */
export const positionLists: readonly PositionList[] = [
  { profile: "kaifa-norway", places: [["1-0:1.7.0", 0, W]] },
  { prefix: "KFM_001", announces: "kaifa-norway", places: kaifaSingle },
  { prefix: "KFM_001", announces: "kaifa-norway", places: [...kaifaSingle, "clock", ...energy] },
  { prefix: "KFM_001", announces: "kaifa-norway", places: kaifaThree },
  { prefix: "KFM_001", announces: "kaifa-norway", places: [...kaifaThree, "clock", ...energy] },
  { prefix: "ISK", places: ["device", "id", ...power, ...voltage(-1), ...current(-2), ...phaseImport, ...phaseExport] },
  { prefix: "ISK", places: ["device", "id", ...voltage(-1), ...current(-2), ...power] },
  {
    prefix: "ISK",
    places: ["device", "id", "skip", "skip", ...tariffEnergy, ["1-0:3.8.0", 0, VARH], ["1-0:4.8.0", 0, VARH]],
  },
  {
    prefix: "ISK",
    discriminator: [6, longUnsigned],
    places: ["device", "id", ...power, ["1-0:32.7.0", -1, V], "skip", "skip"],
  },
  {
    prefix: "ISK",
    discriminator: [6, longUnsigned],
    places: [
      "device",
      "id",
      ...power,
      ["1-0:32.7.0", -1, V],
      ["1-0:31.7.0", -2, A],
      ["1-0:21.7.0", 0, W],
      ["1-0:22.7.0", 0, W],
    ],
  },
  {
    prefix: "ISK",
    discriminator: [6, doubleLongUnsigned],
    places: [
      "device",
      "id",
      ["1-0:1.8.1", 0, WH],
      ["1-0:1.8.2", 0, WH],
      ["1-0:2.8.1", 0, WH],
      ["1-0:2.8.2", 0, WH],
      ["1-0:3.8.1", 0, VARH],
      ["1-0:3.8.2", 0, VARH],
      ["1-0:4.8.1", 0, VARH],
      ["1-0:4.8.2", 0, VARH],
    ],
  },
  { prefix: "ISK", places: ["device", "id", ["1-0:32.7.0", -1, V], ["1-0:31.7.0", -2, A], ...power] },
  {
    prefix: "ISK",
    numbers: doubleLongUnsigned,
    totals: [
      [3, 4, 5],
      [6, 7, 8],
    ],
    places: ["id", ["1-0:1.7.0", 0, W], ["1-0:2.7.0", 0, W], ...tariffEnergy],
  },
  // What the same meter sends every quarter of an hour, and the meter of Carinthia.
  { numbers: doubleLongUnsigned, places: serialAndTotals },
  {
    numbers: doubleLongUnsigned,
    places: ["push-setup", "id", "time", "date", ...energy, ["1-0:1.7.0", 0, W], ["1-0:2.7.0", 0, W], "skip", "skip"],
  },
  {
    profile: "iskra-ie5",
    places: [
      "id",
      "skip",
      "skip",
      ...tariffEnergy,
      ["1-0:5.8.0", 0, VARH],
      ["1-0:6.8.0", 0, VARH],
      ["1-0:7.8.0", 0, VARH],
      ["1-0:8.8.0", 0, VARH],
      ["1-0:1.7.0", 0, W],
      ["1-0:2.7.0", 0, W],
      ["1-0:13.7.0", -3, PLAIN],
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
