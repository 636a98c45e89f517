// The labels of a French meter's customer port that state a number (Enedis-NOI-CPT_54E, sections 6.1 and 6.2), and those that state
// none. As text, so that a chip keeps them in ROM at a byte a character.
//
// Supply tariffs are 1-0:1.8.n; those of the distributor, which split the same energy otherwise, are of channel 1: 1-1:1.8.n. What is of
// the day before, or of the interval before, is the most recent of its log: F = 101.

import { parseObis } from "../obis.js";

/** What a label's digits mean. */
export interface Meaning {
  readonly obis: Uint8Array;
  readonly unit: number;
  readonly scaler: number;
}

/** Label, code, DLMS unit, scaler. Historic mode first. */
const numbers =
  " BASE=1-0:1.8.0,30 HCHC=1-0:1.8.1,30 HCHP=1-0:1.8.2,30 EJPHN=1-0:1.8.1,30 EJPHPM=1-0:1.8.2,30" +
  " BBRHCJB=1-0:1.8.1,30 BBRHPJB=1-0:1.8.2,30 BBRHCJW=1-0:1.8.3,30 BBRHPJW=1-0:1.8.4,30 BBRHCJR=1-0:1.8.5,30" +
  " BBRHPJR=1-0:1.8.6,30 ISOUSC=1-0:31.4.0,33 IINST=1-0:31.7.0,33 IINST1=1-0:31.7.0,33 IINST2=1-0:51.7.0,33" +
  " IINST3=1-0:71.7.0,33 IMAX=1-0:31.6.0,33 IMAX1=1-0:31.6.0,33 IMAX2=1-0:51.6.0,33 IMAX3=1-0:71.6.0,33" +
  " PAPP=1-0:9.7.0,28 PMAX=1-0:1.6.0,27" +
  " EAST=1-0:1.8.0,30 EASF01=1-0:1.8.1,30 EASF02=1-0:1.8.2,30 EASF03=1-0:1.8.3,30 EASF04=1-0:1.8.4,30" +
  " EASF05=1-0:1.8.5,30 EASF06=1-0:1.8.6,30 EASF07=1-0:1.8.7,30 EASF08=1-0:1.8.8,30 EASF09=1-0:1.8.9,30" +
  " EASF10=1-0:1.8.10,30 EASD01=1-1:1.8.1,30 EASD02=1-1:1.8.2,30 EASD03=1-1:1.8.3,30 EASD04=1-1:1.8.4,30" +
  " EAIT=1-0:2.8.0,30 ERQ1=1-0:5.8.0,32 ERQ2=1-0:6.8.0,32 ERQ3=1-0:7.8.0,32 ERQ4=1-0:8.8.0,32" +
  " IRMS1=1-0:31.7.0,33 IRMS2=1-0:51.7.0,33 IRMS3=1-0:71.7.0,33" +
  " URMS1=1-0:32.7.0,35 URMS2=1-0:52.7.0,35 URMS3=1-0:72.7.0,35 PCOUP=0-0:17.0.0,28,3" +
  " SINSTS=1-0:9.7.0,28 SINSTS1=1-0:29.7.0,28 SINSTS2=1-0:49.7.0,28 SINSTS3=1-0:69.7.0,28 SINSTI=1-0:10.7.0,28" +
  " SMAXSN=1-0:9.6.0,28 SMAXSN1=1-0:29.6.0,28 SMAXSN2=1-0:49.6.0,28 SMAXSN3=1-0:69.6.0,28" +
  " SMAXSN-1=1-0:9.6.0*101,28 SMAXSN1-1=1-0:29.6.0*101,28 SMAXSN2-1=1-0:49.6.0*101,28 SMAXSN3-1=1-0:69.6.0*101,28" +
  " SMAXIN=1-0:10.6.0,28 SMAXIN-1=1-0:10.6.0*101,28" +
  " CCASN=1-0:1.5.0,27 CCASN-1=1-0:1.5.0*101,27 CCAIN=1-0:2.5.0,27 CCAIN-1=1-0:2.5.0*101,27" +
  " UMOY1=1-0:32.5.0,35 UMOY2=1-0:52.5.0,35 UMOY3=1-0:72.5.0,35 NTARF=0-0:96.14.0,255 ";

/** Contract, calendar, texts, notices, and what repeats another label: no registers. */
const others =
  " OPTARIF PEJP DEMAIN ADPS ADIR1 ADIR2 ADIR3 HHPHC MOTDETAT PPOT GAZ AUTRE" +
  " VTIC NGTF LTARF PREF DPM1 FPM1 DPM2 FPM2 DPM3 FPM3 MSG1 MSG2 PRM RELAIS NJOURF NJOURF+1 PJOURF+1 PPOINTE ";

/** The current tariff of historic mode, numbered as its energy is. */
const tariffs = " TH..=0 HC..=1 HP..=2 HN..=1 PM..=2 HCJB=1 HPJB=2 HCJW=3 HPJW=4 HCJR=5 HPJR=6 ";

/** What the digits behind a label mean; undefined where it states no number, or none that is known. */
export function meaningOf(label: string): Meaning | undefined {
  const row = behind(numbers, label);
  if (row === undefined) return undefined;
  const [code, unit, scaler = "0"] = row.split(",") as [string, string, string?];
  return { obis: parseObis(code), unit: Number(unit), scaler: Number(scaler) };
}

/** Whether the label is known to state no register. */
export function isOther(label: string): boolean {
  return others.includes(` ${label} `);
}

/** The number of the tariff of `PTEC`; undefined for one that is not known. */
export function tariffOf(name: string): number | undefined {
  const number = behind(tariffs, name);
  return number === undefined ? undefined : Number(number);
}

/** What stands behind `name=` in a row of the text. */
function behind(text: string, name: string): string | undefined {
  const key = ` ${name}=`;
  const at = text.indexOf(key);
  if (at < 0) return undefined;
  const start = at + key.length;
  return text.slice(start, text.indexOf(" ", start));
}
