// What the appliances of an emulated household draw, by phase. Each is a function of the seed and the time alone.

import type { LocalTime } from "./calendar.js";
import { fractionAt } from "./random.js";

const slot_s = 10;

/** Watts of the three phases at the start of a ten-second slot. */
export function loadOf(seed: number, slotStart_s: number, local: LocalTime): readonly [number, number, number] {
  const minuteOfDay = local.hour * 60 + local.minute;
  const day = local.dayNumber;
  const car_W = carPower_W(seed, day, minuteOfDay);
  return [
    standbyPower_W(seed, slotStart_s) + lightPower_W(seed, slotStart_s, local) + car_W,
    fridgePower_W(seed, slotStart_s) + washingPower_W(seed, day, minuteOfDay) + car_W,
    cookingPower_W(seed, slotStart_s, day, minuteOfDay) + dishwasherPower_W(seed, day, minuteOfDay) + car_W,
  ];
}

function standbyPower_W(seed: number, slotStart_s: number): number {
  const base_W = 60 + Math.floor(fractionAt(seed, 0, 40) * 120);
  return base_W + Math.floor(fractionAt(seed, slotStart_s / slot_s, 41) * 12);
}

/** The compressor runs a third of every three quarters of an hour. */
function fridgePower_W(seed: number, slotStart_s: number): number {
  const period_s = 2700;
  const shift_s = Math.floor(fractionAt(seed, 0, 42) * period_s);
  return (slotStart_s + shift_s) % period_s < period_s / 3 ? 90 : 2;
}

function lightPower_W(seed: number, slotStart_s: number, { hour }: LocalTime): number {
  if (hour >= 1 && hour < 6) return 0;
  const evening = hour >= 18 || hour < 1 ? 1 : 0.3;
  return Math.floor(fractionAt(seed, Math.floor(slotStart_s / 900), 43) * evening * 280);
}

/** Induction plates switch on and off by the slot. */
function cookingPower_W(seed: number, slotStart_s: number, day: number, minuteOfDay: number): number {
  const start = 17 * 60 + 30 + Math.floor(fractionAt(seed, day, 44) * 60);
  if (minuteOfDay < start || minuteOfDay >= start + 40) return 0;
  return fractionAt(seed, slotStart_s / slot_s, 45) < 0.45 ? 2100 : 60;
}

/** Every third day: twenty minutes of heating, then the drum. */
function washingPower_W(seed: number, day: number, minuteOfDay: number): number {
  if (fractionAt(seed, day, 46) > 0.35) return 0;
  const since = minuteOfDay - (9 * 60 + Math.floor(fractionAt(seed, day, 47) * 300));
  if (since < 0 || since >= 95) return 0;
  return since < 20 ? 2050 : 180;
}

function dishwasherPower_W(seed: number, day: number, minuteOfDay: number): number {
  if (fractionAt(seed, day, 48) > 0.6) return 0;
  const since = minuteOfDay - (20 * 60 + Math.floor(fractionAt(seed, day, 49) * 90));
  if (since < 0 || since >= 80) return 0;
  return since < 15 || (since >= 50 && since < 62) ? 1950 : 40;
}

/** Four households in ten charge a car, on some nights, after the low tariff has begun. */
function carPower_W(seed: number, day: number, minuteOfDay: number): number {
  const night = minuteOfDay < 12 * 60 ? day - 1 : day;
  const minuteOfNight = minuteOfDay < 12 * 60 ? minuteOfDay + 24 * 60 : minuteOfDay;
  if (fractionAt(seed, 0, 50) > 0.4 || fractionAt(seed, night, 51) > 0.5) return 0;
  const since = minuteOfNight - (23 * 60 + 5);
  return since >= 0 && since < 60 + Math.floor(fractionAt(seed, night, 52) * 180) ? 3650 : 0;
}
